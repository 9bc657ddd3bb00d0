/**
 * The user's systemd manager: start, look at and stop units of ours. A transient unit is the mutex of an act: systemd
 * refuses a second unit of the same name, also while the child of an attempt that was thought dead still runs.
 */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

export interface UnitOptions {
  readonly description: string;
  /** Seconds between SIGTERM to the main process and SIGKILL to all of the unit. */
  readonly stopSeconds: number;
  /** Above zero: the kernel takes this unit first when memory runs out, and not ssh. */
  readonly oomScoreAdjust?: number;
}

export interface UnitLook {
  readonly active: boolean;
  readonly state: string;
  readonly mainPid: number | null;
  readonly controlGroup: string | null;
}

/** A process of a unit, named by pid and start time together. */
export interface UnitMember {
  readonly pid: number;
  readonly startTicks: number;
  readonly cpuTicks: number;
  /** Kernel name of the process, at most 15 characters; a title set by the process itself shows here too. */
  readonly name: string;
  readonly command: string;
}

const service = (unit: string): string => (unit.endsWith('.service') ? unit : `${unit}.service`);

/** Start a transient unit. Returns false when a unit of that name exists already: then it is to be adopted. */
export async function startTransientUnit(
  unit: string,
  argv: readonly [string, ...string[]],
  options: UnitOptions,
): Promise<boolean> {
  await run({ file: 'systemctl', args: ['--user', 'reset-failed', service(unit)] }, { timeoutMs: 20_000 });
  const properties = [
    'KillMode=mixed',
    `TimeoutStopSec=${options.stopSeconds}`,
    'LimitNOFILE=infinity',
    ...(options.oomScoreAdjust === undefined ? [] : [`OOMScoreAdjust=${options.oomScoreAdjust}`]),
  ];
  const result = await run(
    {
      file: 'systemd-run',
      args: [
        '--user',
        '--quiet',
        `--unit=${service(unit)}`,
        `--description=${options.description}`,
        '--service-type=exec',
        '--collect',
        ...properties.map((property) => `--property=${property}`),
        '--',
        // systemd expands $NAME in the arguments of a command; ours hold paths only, and are doubled to be sure.
        ...argv.map((argument) => argument.replaceAll('$', '$$$$')),
      ],
    },
    { timeoutMs: 60_000 },
  );
  if (result.exitCode === 0) return true;
  if ((await lookAtUnit(unit)).active) return false;
  throw new Error(`systemd-run: ${result.stderr.trim() || `exit ${String(result.exitCode)}`}`);
}

/** Ask systemd. Throws where it does not answer: that a unit is not there is an answer. */
async function askSystemd(args: readonly string[]): Promise<string> {
  const result = await run({ file: 'systemctl', args: ['--user', ...args] }, { timeoutMs: 20_000 });
  if (result.exitCode === 0) return result.stdout;
  const why = result.timedOut ? 'no answer for 20 s' : result.stderr.trim();
  throw new Error(`systemctl --user ${args[0] ?? ''}: ${why || `exit ${String(result.exitCode)}`}`);
}

/** Look at a unit; one that is not loaded is inactive. Throws where systemd does not answer. */
export async function lookAtUnit(unit: string): Promise<UnitLook> {
  const answer = await askSystemd(['show', '-p', 'ActiveState,MainPID,ControlGroup', service(unit)]);
  const fields = new Map(
    answer.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const state = fields.get('ActiveState') ?? 'unknown';
  const pid = Number(fields.get('MainPID') ?? '0');
  return {
    active: ['active', 'activating', 'deactivating', 'reloading'].includes(state),
    state,
    mainPid: pid > 0 ? pid : null,
    controlGroup: fields.get('ControlGroup') || null,
  };
}

/** Stop a unit and wait until systemd says that it is gone. A unit that is not there is no error. */
export async function stopUnit(unit: string, limitMs: number): Promise<void> {
  await run({ file: 'systemctl', args: ['--user', 'stop', service(unit)] }, { timeoutMs: limitMs });
  await run({ file: 'systemctl', args: ['--user', 'reset-failed', service(unit)] }, { timeoutMs: 20_000 });
}

/** Names of all loaded units of ours, without `.service`. Throws where systemd does not answer. */
export async function listUnits(): Promise<string[]> {
  const flags = ['--all', '--plain', '--no-legend', '--no-pager'];
  const answer = await askSystemd(['list-units', ...flags, 'windlass-*.service']);
  return answer
    .split('\n')
    .map((line) => line.trim().split(/\s+/)[0] ?? '')
    .filter((name) => name.startsWith('windlass-'))
    .map((name) => name.replace(/\.service$/, ''));
}

/** The processes of a control group and all groups below it. */
export async function membersOf(controlGroup: string): Promise<UnitMember[]> {
  const pids: number[] = [];
  const walk = async (folder: string): Promise<void> => {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
    const text = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '');
    pids.push(...text.split('\n').filter(Boolean).map(Number));
    for (const entry of entries) if (entry.isDirectory()) await walk(join(folder, entry.name));
  };
  await walk(`/sys/fs/cgroup${controlGroup}`);
  const members = await Promise.all(pids.map(readMember));
  return members.filter((member) => member !== null);
}

async function readMember(pid: number): Promise<UnitMember | null> {
  try {
    const [stat, command] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The second field is the name in parentheses and may hold anything; the rest follows the last parenthesis.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return {
      pid,
      name: stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')')),
      startTicks: Number(fields[19]),
      cpuTicks: Number(fields[11]) + Number(fields[12]),
      command: command.replaceAll('\0', ' ').trim(),
    };
  } catch {
    return null; // It ended while we looked.
  }
}
