/** The control worker as it is placed on a head: the built program, its versions side by side, one of them current. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { layoutOf } from '../../src/cluster/layout.ts';
import { workflowBundle } from '../support/temporal.ts';

const sources = fileURLToPath(new URL('../..', import.meta.url));
const bridge = createRequire(import.meta.url).resolve(
  '@temporalio/core-bridge/releases/x86_64-unknown-linux-gnu/index.node',
);

export class PlacedHome {
  private readonly program: string;
  private readonly root: string;
  private worker: ChildProcess | undefined;
  private log = '';

  private constructor(folder: string) {
    this.program = join(folder, 'program');
    this.root = join(folder, 'root');
  }

  /** Build the program once; what it is placed with comes by `place`. */
  static async build(): Promise<PlacedHome> {
    const home = new PlacedHome(await mkdtemp(join(tmpdir(), 'windlass-home-')));
    const recipe = pathToFileURL(join(sources, 'scripts/payload/bundle.mjs')).href;
    const script = `import { bundlePayload } from '${recipe}'; await bundlePayload(...process.argv.slice(1));`;
    const args = ['--input-type=module', '-e', script, sources, home.program];
    await promisify(execFile)(process.execPath, args);
    await symlink(bridge, join(home.program, 'core-bridge.node'));
    return home;
  }

  /** Begin anew, with no version and another namespace. */
  async empty(settings: { readonly address: string; readonly namespace: string }): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
    await mkdir(join(this.root, 'home'), { recursive: true });
    await writeFile(this.settingsPath, JSON.stringify(settings));
  }

  /** Put a version there, anew if it is there, and make it the current one. No worker runs meanwhile. */
  async place(version: string, bundle: string): Promise<void> {
    const { payloads, currentPayload } = layoutOf(this.root);
    const folder = join(payloads, version);
    await rm(folder, { recursive: true, force: true });
    await cp(this.program, folder, { recursive: true, verbatimSymlinks: true });
    await writeFile(join(folder, 'workflow-bundle.cjs'), bundle);
    await rm(currentPayload, { force: true });
    await symlink(version, currentPayload);
  }

  async remove(version: string): Promise<void> {
    await rm(join(layoutOf(this.root).payloads, version), { recursive: true });
  }

  start(): void {
    const program = join(layoutOf(this.root).currentPayload, 'control-worker.js');
    this.log = '';
    this.worker = spawn(process.execPath, [program, this.settingsPath], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.worker.stderr?.setEncoding('utf8').on('data', (text: string) => (this.log += text));
  }

  /** End the worker as systemd does, and wait until it is gone. Returns what it has logged. */
  async stop(): Promise<string> {
    const { worker } = this;
    if (worker?.exitCode === null && worker.signalCode === null) {
      const gone = once(worker, 'close');
      worker.kill('SIGTERM');
      await gone;
    }
    return this.log;
  }

  async destroy(): Promise<void> {
    await this.stop();
    await rm(join(this.root, '..'), { recursive: true, force: true });
  }

  private get settingsPath(): string {
    return join(this.root, 'home/control-worker.json');
  }
}

/** Three releases: today's workflows, the same with a change that replays, and with one that does not. */
export async function releases(): Promise<{ older: string; newer: string; changed: string }> {
  const older = await readFile(workflowBundle().codePath, 'utf8');
  const changed = older.replace(
    /async function bringUp\(spec\) \{\s+;\(0,(\w+)\.setHandler\)/,
    (text, workflow: string) => text.replace('{', `{ await ${workflow}.sleep(1);`),
  );
  if (changed === older) throw new Error('the bundle has no bringUp to which a timer could be added');
  return { older, newer: `/* the next release */ ${older}`, changed };
}
