/**
 * One cgroup per host in every hierarchy that counts, so that the hosts' systemds do not see each other and every
 * process of a host can be found, frozen and killed. Works with cgroup v2 alone and with v1 and v2 side by side.
 */
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { sendSignal } from './processes.ts';
import { until } from './run.ts';

/** v1 controllers that nspawn's guest needs for itself; the others are left to the machine. */
const controllers = ['memory', 'cpuacct', 'pids', 'name=systemd'];

/** Read where the hierarchies are mounted; the first is the one that knows `cgroup.freeze`. */
export async function readHierarchies(): Promise<string[]> {
  const rows = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const v2 = rows.find(([, , type]) => type === 'cgroup2')?.[1];
  if (v2 === undefined) throw new Error('the lab needs cgroup v2, and no cgroup2 file system is mounted');
  const v1 = rows.filter(
    ([, , type, options]) =>
      type === 'cgroup' && options?.split(',').some((option) => controllers.includes(option)),
  );
  return [v2, ...v1.flatMap(([, point]) => point ?? [])];
}

/** Make the cgroup in every hierarchy and return the folders. */
export async function makeCgroups(path: string): Promise<string[]> {
  const folders = (await readHierarchies()).map((hierarchy) => join(hierarchy, path));
  await Promise.all(folders.map((folder) => mkdir(folder, { recursive: true })));
  return folders;
}

/** Read the pids in a cgroup and all below it. */
export async function readCgroupPids(path: string): Promise<number[]> {
  const [v2] = await readHierarchies();
  const lists = (await readTree(join(v2 ?? '', path))).map((folder) =>
    readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => ''),
  );
  return (await Promise.all(lists)).flatMap((list) => list.split('\n').filter(Boolean)).map(Number);
}

/** Kill every process in a cgroup, also in a frozen one, and wait until none is left. */
export async function killCgroup(path: string): Promise<void> {
  await until(`processes in cgroup ${path} end`, async () => {
    const pids = await readCgroupPids(path);
    for (const pid of pids) sendSignal(pid, 'SIGKILL');
    return pids.length === 0;
  });
}

/** Remove a cgroup with all below it from every hierarchy; what enters it late is killed, too. */
export async function removeCgroups(path: string): Promise<void> {
  await until(`cgroup ${path} can be removed`, async () => {
    await killCgroup(path);
    const folders = await readCgroupFolders(path);
    for (const folder of folders.toReversed()) await rmdir(folder).catch(() => undefined);
    return (await readCgroupFolders(path)).length === 0;
  });
}

/** Read all folders of a cgroup, parents first, in every hierarchy that the machine has mounted. */
export async function readCgroupFolders(path: string): Promise<string[]> {
  const rows = (await readFile('/proc/mounts', 'utf8')).split('\n').map((line) => line.split(' '));
  const points = rows
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .flatMap(([, p]) => p ?? []);
  return (await Promise.all(points.map((point) => readTree(join(point, path))))).flat();
}

/** Read the cgroup folders that a process is in, one per hierarchy, as this machine sees them. */
export async function readCgroupsOf(pid: number): Promise<string[]> {
  const lines = (await readFile(`/proc/${String(pid)}/cgroup`, 'utf8')).split('\n').filter(Boolean);
  const hierarchies = await readHierarchies();
  return lines.flatMap((line) => {
    const [, names = '', path = ''] = /^\d+:(.*?):(.*)$/.exec(line) ?? [];
    const folder = hierarchies.find((hierarchy, index) =>
      names === '' ? index === 0 : index > 0 && hierarchy.endsWith(`/${names.replace('name=', '')}`),
    );
    return folder === undefined ? [] : [join(folder, path)];
  });
}

/** Stop or continue every process in a cgroup and wait until the kernel has done so. */
export async function setFrozen(path: string, frozen: boolean): Promise<void> {
  const [v2] = await readHierarchies();
  const folder = join(v2 ?? '', path);
  const wanted = frozen ? '1' : '0';
  await writeFile(join(folder, 'cgroup.freeze'), wanted);
  await until(`cgroup ${path} says frozen ${wanted}`, async () =>
    (await readFile(join(folder, 'cgroup.events'), 'utf8')).includes(`frozen ${wanted}`),
  );
}

async function readTree(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => undefined);
  if (!entries) return [];
  const below = await Promise.all(
    entries.filter((entry) => entry.isDirectory()).map((entry) => readTree(join(folder, entry.name))),
  );
  return [folder, ...below.flat()];
}
