/** Two hosts of the lab whose cluster a keeper may watch, and what is seen of them from outside. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isRank } from '../../src/cluster/ranks.ts';
import { clusterFile, root } from '../../test/faults/places.ts';
import { linesOf, processesOf } from '../../test/faults/scene.ts';
import type { Host } from '../../test/lab/host.ts';
import type { HostProcess } from '../../test/lab/host-processes.ts';
import type { Log } from '../../test/lab/run.ts';
import { until } from '../../test/lab/run.ts';
import { repository, Stage } from '../../test/lab/stage.ts';
import { demandSuccess } from '../../test/lab/start-over.ts';

/** As the suite of faults has it: a third of the real engine's silences, so that an act can be met in its middle. */
const slowEngine = '/etc/windlass-lab/engine.json';

export class Cluster {
  readonly stage: Stage;
  private readonly env = { FAULTS_API_KEY: randomBytes(16).toString('hex') };

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Boot the hosts. Nothing is brought up yet. */
  static async boot(log: Log): Promise<Cluster> {
    return new Cluster(await Stage.start({ name: 'repair', only: ['spark-ea8e', 'jetson-thor'], log }));
  }

  get head(): Host {
    return this.stage.lab.host('spark-ea8e');
  }
  get worker(): Host {
    return this.stage.lab.host('jetson-thor');
  }

  /** Start `up`, with a keeper or without one. */
  async start({ isKept }: { readonly isKept: boolean }) {
    return { running: this.stage.start(['up', await this.file(isKept), '--json'], { env: this.env }) };
  }

  async up(options: { readonly isKept: boolean }): Promise<void> {
    const { running } = await this.start(options);
    demandSuccess(await running);
  }

  async down(): Promise<void> {
    demandSuccess(await this.stage.windlass(['down', await this.file(false), '--json'], { env: this.env }));
  }

  /** Stop what serves, and take environment and model from the worker node, so that the next `up` has acts there. */
  async strip(): Promise<void> {
    await this.down();
    const made = ['envs', 'proofs', 'models', 'locks', 'cache', 'runs'].map((name) => `${root}/${name}`);
    const script = 'chmod -R u+w "$@" 2>/dev/null; rm -rf "$@"';
    await this.worker.exec(['sh', '-c', script, 'sh', ...made, '/home/dgx/.cache/huggingface']);
  }

  async setSpeed(isSlow: boolean): Promise<void> {
    await this.head.writeFile(slowEngine, isSlow ? '{"STANDIN_SPEED": 3}' : '{}', { user: 'root' });
    await this.worker.writeFile(slowEngine, isSlow ? '{"STANDIN_SPEED": 3}' : '{}', { user: 'root' });
  }

  async stop(): Promise<void> {
    await this.stage.stop();
  }

  private async file(isKept: boolean): Promise<string> {
    const path = join(this.stage.lab.operator, isKept ? 'kept.yaml' : 'unkept.yaml');
    const text = await readFile(join(repository, clusterFile), 'utf8');
    await writeFile(path, text.replace('enabled: false', `enabled: ${String(isKept)}`));
    return path;
  }
}

/** Whether a step was begun on a host since a moment. */
export async function hasBegun(host: Host, step: string, since: number): Promise<boolean> {
  return (await linesOf(host, step, since)).some(({ what }) => what === 'began');
}

async function processOf(
  host: Host,
  unit: RegExp,
  what: string,
  isIt: (process: HostProcess) => boolean,
): Promise<HostProcess> {
  return until(`${what} runs on ${host.name}`, async () => (await processesOf(host, unit)).find(isIt), {
    everyMs: 50,
  });
}

const ends = (process: HostProcess, name: string): boolean =>
  process.commandLine.some((word) => word.endsWith(name));

/** The process of a host's node worker that is not `other`. */
export const nodeWorkerOf = (host: Host, other?: HostProcess): Promise<HostProcess> =>
  processOf(
    host,
    /windlass-node\.service/,
    'a node worker',
    (each) => ends(each, '/node-worker.js') && each.pid !== other?.pid,
  );

export const rankOf = (host: Host): Promise<HostProcess> =>
  processOf(host, /windlass-ray-/, 'a rank', ({ commandLine: [title = ''] }) => isRank(title));

export const rayletOf = (host: Host): Promise<HostProcess> =>
  processOf(host, /windlass-ray-/, 'a raylet', ({ commandLine: [file = ''] }) => file.endsWith('/raylet'));

/** The engine's own process, not the program that starts it and keeps its log. */
export const engineOf = (host: Host): Promise<HostProcess> =>
  processOf(
    host,
    /windlass-engine-/,
    'an engine',
    (each) => !ends(each, '/unit.js') && each.commandLine.some((word) => word.includes('sglang')),
  );

/** Python of the environment in which Ray runs on a host. */
export async function pythonOf(host: Host): Promise<string> {
  const ray = await processOf(
    host,
    /windlass-ray-/,
    'ray start',
    (each) => !ends(each, '/unit.js') && ends(each, '/bin/ray'),
  );
  return ray.commandLine[0] ?? '';
}

/** Milliseconds since 1970 at which a process began, to a hundredth of a second. */
export async function startedAt({ startTime }: HostProcess): Promise<number> {
  const [uptime = '0'] = (await readFile('/proc/uptime', 'utf8')).split(' ');
  return Date.now() - Number(uptime) * 1_000 + startTime * 10;
}
