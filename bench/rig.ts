/** The lab with a served cluster, and commands that the operator runs there, timed. */
import { dirname } from 'node:path';
import { Lab } from '../test/lab/lab.ts';
import { cacheFolder } from '../test/lab/names.ts';
import type { Log } from '../test/lab/run.ts';
import { program, repository, Stage } from '../test/lab/stage.ts';

export const clusterFile = 'examples/lab.yaml';
export const headName = 'spark-ea8e';

export interface Timed {
  readonly ms: number;
  readonly stdout: string;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Rig {
  readonly lab: Lab;
  /** Names of the hosts, the head first. */
  readonly nodes: readonly string[];
  /** Run a program as the operator and time it from its start to its exit. Throws where it does not exit with 0. */
  readonly time: (file: string, args: readonly string[], options?: RunOptions) => Promise<Timed>;
  readonly windlass: (...args: readonly string[]) => Promise<Timed>;
  readonly close: () => Promise<void>;
}

/**
 * Bring the lab's cluster up, or take the lab that `attachTo` names with what serves there. Ends with an `up` that
 * finds nothing to do, so that what is measured afterwards is the standing cluster.
 */
export async function openRig(log: Log, attachTo?: string): Promise<Rig> {
  const stage = attachTo === undefined ? await Stage.start({ name: 'bench', log }) : undefined;
  const lab = stage?.lab ?? (await Lab.attach(attachTo));
  const rig = rigOf(lab, async () => {
    await stage?.stop();
  });
  try {
    log(`windlass up ${clusterFile}`);
    await rig.windlass('up', clusterFile, '--json');
    return rig;
  } catch (error) {
    await rig.close();
    throw error;
  }
}

/** Boot one host, for what needs ssh only. */
export async function openHost(log: Log, attachTo?: string): Promise<Rig> {
  if (attachTo !== undefined) return rigOf(await Lab.attach(attachTo), () => Promise.resolve());
  const lab = await Lab.start({ name: 'bench', only: [headName], log });
  return rigOf(lab, () => lab.stop());
}

function rigOf(lab: Lab, close: () => Promise<void>): Rig {
  const time: Rig['time'] = async (file, args, options = {}) => {
    const startedAt = performance.now();
    const result = await lab.exec(file, args, {
      cwd: repository,
      reject: false,
      env: { XDG_CACHE_HOME: dirname(cacheFolder()), ...options.env },
      ...(options.input !== undefined && { stdin: 'pipe', input: options.input }),
    } as const);
    const ms = performance.now() - startedAt;
    if (result.exitCode !== 0) {
      throw new Error(
        [
          `${file} ${args.slice(0, 6).join(' ')} ended with ${String(result.exitCode)}`,
          result.stderr.slice(-2_000),
          result.stdout.slice(-1_000),
        ].join('\n'),
      );
    }
    return { ms, stdout: result.stdout };
  };
  const names = lab.hosts.map((host) => host.name);
  return {
    lab,
    nodes: [...names.filter((name) => name === headName), ...names.filter((name) => name !== headName)],
    time,
    windlass: (...args) => time(process.execPath, [program, ...args]),
    close,
  };
}
