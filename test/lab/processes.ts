/**
 * Reads processes from /proc and ends those that are ours. A process is a pid together with its start time,
 * since a pid alone may belong to somebody else by the time one acts on it.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { until } from './run.ts';

export interface ProcessId {
  readonly pid: number;
  /** Ticks after the machine's boot, field 22 of /proc/PID/stat. */
  readonly startTime: number;
}

/** Read a process's identity; undefined where it is gone or only waits to be reaped. */
export async function readProcessId(pid: number): Promise<ProcessId | undefined> {
  const stat = await readFile(`/proc/${String(pid)}/stat`, 'utf8').catch(() => undefined);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold blanks, so count from behind it.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
  return { pid, startTime: Number(fields[19]) };
}

/** Read the identity of this very process. */
export async function readSelf(): Promise<ProcessId> {
  const self = await readProcessId(process.pid);
  if (!self) throw new Error('this process is not in /proc');
  return self;
}

/** Return whether exactly this process still runs. */
export async function isAlive(id: ProcessId): Promise<boolean> {
  return (await readProcessId(id.pid))?.startTime === id.startTime;
}

/** Read a process's command line; empty where it is gone or is the kernel's. */
export async function readCommandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${String(pid)}/cmdline`, 'utf8').catch(() => '');
  return text.split('\0').slice(0, -1);
}

/** Read the pids of this machine. */
export async function readPids(): Promise<number[]> {
  return (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry)).map(Number);
}

/** Read the pids of a process's children. */
export async function readChildren(pid: number): Promise<number[]> {
  const tasks = await readdir(`/proc/${String(pid)}/task`).catch(() => []);
  const lists = await Promise.all(
    tasks.map((task) => readFile(`/proc/${String(pid)}/task/${task}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter((child) => child !== '')).map(Number);
}

/** Read which namespace of a kind a process is in, as the kernel writes it; undefined where it is gone. */
export async function readNamespace(pid: number, kind: 'net' | 'pid'): Promise<string | undefined> {
  return readlink(`/proc/${String(pid)}/ns/${kind}`).catch(() => undefined);
}

/** Read the pids of all processes in the network namespace with this inode number. */
export async function readNetworkPids(inode: number): Promise<number[]> {
  const pids = await readPids();
  const namespaces = await Promise.all(pids.map((pid) => readNamespace(pid, 'net')));
  return pids.filter((_, index) => namespaces[index] === `net:[${String(inode)}]`);
}

/** Send a signal; a process that is already gone is no error. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** End exactly this process by a signal and wait until it is gone. */
export async function endProcess(id: ProcessId, signal: NodeJS.Signals): Promise<void> {
  if (!(await isAlive(id))) return;
  sendSignal(id.pid, signal);
  await until(`process ${String(id.pid)} ends after ${signal}`, async () => !(await isAlive(id)));
}
