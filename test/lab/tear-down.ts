/**
 * Removes a lab by its name alone: whatever state it is in, whoever started it, also half up. Every step is content
 * to find its work already done.
 */
import { readdir, readFile, rm, rmdir } from 'node:fs/promises';
import { emulatorLeftovers, releaseEmulator } from './binfmt.ts';
import { killCgroup, readCgroupFolders, readCgroupPids, removeCgroups } from './cgroups.ts';
import { whileLocked } from './lock.ts';
import { unmountBelow, readMountsBelow } from './mounts.ts';
import { labsFolder, namesOf, type LabNames } from './names.ts';
import { readNetworkInode } from './network.ts';
import { endProcess, readChildren, readCommandLine, readNetworkPids, readPids } from './processes.ts';
import { readProcessId, sendSignal } from './processes.ts';
import { until } from './run.ts';
import { isKept, readState, removeDeadClaims } from './state.ts';

/** Take a lab down and wait until nothing of it is left. `self`: the caller is the lab's keeper. */
export async function tearDown(name: string, { self = false }: { self?: boolean } = {}): Promise<void> {
  const names = namesOf(name);
  await whileLocked(names, () => remove(names, self));
}

async function remove(names: LabNames, self: boolean): Promise<void> {
  const state = await readState(names);
  await endNetworkProcesses(names);
  await endHosts(names);
  if (state?.keeper && !self) await endProcess(state.keeper, 'SIGTERM');
  await unmountBelow(names.folder);
  await removeCgroups(names.cgroup);
  await releaseEmulator(state?.keeper);
  await rm(names.folder, { recursive: true, force: true });
  await rmdir(labsFolder).catch(() => undefined);
}

/** Take down every lab whose keeper has died, and return their names. */
export async function sweepAll(): Promise<string[]> {
  const swept: string[] = [];
  await removeDeadClaims();
  for (const name of await readLabs()) {
    const names = namesOf(name);
    if (await seenKept(names)) continue;
    const isSwept = await whileLocked(names, async () => {
      if (await seenKept(names)) return false;
      await remove(names, false);
      return true;
    });
    if (isSwept) swept.push(name);
  }
  return swept;
}

async function seenKept(names: LabNames): Promise<boolean> {
  const state = await readState(names);
  return state !== undefined && (await isKept(state));
}

/** Read the names of all labs that have a folder on this machine. */
export async function readLabs(): Promise<string[]> {
  return (await readdir(labsFolder).catch(() => [])).filter((entry) => !entry.startsWith('.'));
}

/** Return what is still there of a lab that has been taken down; nothing is what is wanted. */
export async function leftovers(name: string): Promise<string[]> {
  const names = namesOf(name);
  const mounts = await readFile('/proc/mounts', 'utf8');
  const overlays = mounts.split('\n').filter((line) => line.startsWith(`${names.cgroup}-`));
  const lines = await Promise.all((await readPids()).map((pid) => readCommandLine(pid)));
  const isKeeper = (line: string[]) =>
    line.includes(name) && line.some((word) => word.endsWith('/keeper.ts'));
  const belongs = (line: string[]) =>
    isKeeper(line) || line.some((word) => word.includes(`${names.folder}/`));
  return [
    ...(await readMountsBelow(names.folder)).map((point) => `mount ${point}`),
    ...overlays.map((line) => `mount ${line}`),
    ...(await readCgroupFolders(names.cgroup)).map((folder) => `cgroup ${folder}`),
    ...lines.filter(belongs).map((line) => `process ${line.join(' ')}`),
    ...((await readLabs()).includes(name) ? [`folder ${names.folder}`] : []),
    ...(await emulatorLeftovers()),
  ];
}

/** What the operator runs in the lab's network and the relays' inner ends; hosts have networks of their own. */
async function endNetworkProcesses(names: LabNames): Promise<void> {
  const inode = await readNetworkInode(names);
  if (inode === undefined || !(await readMountsBelow(names.netns)).length) return;
  const inCgroup = new Set(await readCgroupPids(names.cgroup));
  await until('processes in the network of the lab end', async () => {
    // nspawn lives in this network, too, and has to see its guest end first.
    const pids = (await readNetworkPids(inode)).filter((pid) => !inCgroup.has(pid));
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    return pids.length === 0;
  });
}

/** Kill the guests' first processes, let each nspawn clean up behind its guest, then kill what is left. */
async function endHosts(names: LabNames): Promise<void> {
  const nspawns: number[] = [];
  for (const pid of await readCgroupPids(names.cgroup)) {
    const [file] = await readCommandLine(pid);
    if (file?.endsWith('systemd-nspawn') !== true) continue;
    nspawns.push(pid);
    for (const leader of await readChildren(pid)) sendSignal(leader, 'SIGKILL');
  }
  await until('systemd-nspawn ends', async () => {
    const alive = await Promise.all(nspawns.map((pid) => readProcessId(pid)));
    return alive.every((id) => id === undefined);
  }).catch(() => undefined);
  await killCgroup(names.cgroup);
}
