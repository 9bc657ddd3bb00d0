/** Finds the first process of a host, which is the only handle on a running host that is needed. */
import { readFile } from 'node:fs/promises';
import { readCgroupPids } from './cgroups.ts';
import type { LabNames } from './names.ts';
import { readChildren, readCommandLine } from './processes.ts';

/** Read the pid of a host's systemd-nspawn; undefined where the host is off. */
export async function readContainer(names: LabNames, host: string): Promise<number | undefined> {
  for (const pid of await readCgroupPids(`${names.cgroup}/${host}`)) {
    const [file] = await readCommandLine(pid);
    if (file?.endsWith('systemd-nspawn') === true) return pid;
  }
  return undefined;
}

/** Read the pid that the host's systemd has on this machine; undefined where the host is off. */
export async function readLeader(names: LabNames, host: string): Promise<number | undefined> {
  const container = await readContainer(names, host);
  for (const pid of container === undefined ? [] : await readChildren(container)) {
    const status = await readFile(`/proc/${String(pid)}/status`, 'utf8').catch(() => '');
    // nspawn has other children while it starts; the guest's first process is 1 in a pid namespace of its own.
    if (/^NSpid:\t\d+\t1$/m.test(status)) return pid;
  }
  return undefined;
}
