/** Reads the processes of a host from outside, also of a frozen one. */
import { readFile } from 'node:fs/promises';
import { readCommandLine, readProcessId, type ProcessId } from './processes.ts';

export interface HostProcess extends ProcessId {
  /** Pid that the host itself gives the process. */
  readonly insidePid: number;
  readonly uid: number;
  readonly commandLine: readonly string[];
  /** Unit or scope that the process belongs to, as a path below the host's root cgroup. */
  readonly cgroup: string;
  /** Part of a login session or of the user's manager, so it comes and goes with each login. */
  readonly isOfLogin: boolean;
}

/** Read what is known of these processes; those that ended meanwhile are left out. */
export async function readHostProcesses(pids: readonly number[]): Promise<HostProcess[]> {
  return (await Promise.all(pids.map((pid) => readHostProcess(pid)))).flatMap((found) => found ?? []);
}

async function readHostProcess(pid: number): Promise<HostProcess | undefined> {
  const id = await readProcessId(pid);
  const folder = `/proc/${String(pid)}`;
  const status = await readFile(`${folder}/status`, 'utf8').catch(() => undefined);
  const cgroups = await readFile(`${folder}/cgroup`, 'utf8').catch(() => '');
  const commandLine = await readCommandLine(pid);
  // One that has ended and whose parent has not asked yet has no command line any more.
  const isGone = commandLine.join('') === '';
  if (!id || status === undefined || isGone) return undefined;
  const cgroup = /^0::.*?\/payload(\/.*)$/m.exec(cgroups)?.[1] ?? '/';
  return {
    ...id,
    insidePid: Number(/^NSpid:.*\t(\d+)$/m.exec(status)?.[1]),
    uid: Number(/^Uid:\t(\d+)/m.exec(status)?.[1]),
    commandLine,
    cgroup,
    isOfLogin: /\/session-[^/]*\.scope|\/user@\d+\.service\/(init\.scope|.*dbus\.service)/.test(cgroup),
  };
}
