/**
 * Lets the kernel start aarch64 programs through qemu while anyone needs it. The entry has a name of our own, so
 * one that the machine already has is neither used nor touched: Debian's lacks the flag C, without which setuid
 * programs lose their rights.
 */
import { mkdir, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { emulatorPath } from './emulator.ts';
import { labsFolder } from './names.ts';
import { isAlive, type ProcessId } from './processes.ts';
import { run } from './run.ts';

const kernelFolder = '/proc/sys/fs/binfmt_misc';
const entry = 'windlass-aarch64';
const mountSource = 'windlass-binfmt';
/** One file per process that needs the entry; the last one out removes it. */
const usersFolder = join(labsFolder, '.binfmt');

const magic = '\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00';
const mask =
  '\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff';

const userFile = (user: ProcessId): string =>
  join(usersFolder, `${String(user.pid)}-${String(user.startTime)}`);

/** Register the emulator for as long as this process lives or until it releases it. */
export async function acquireEmulator(user: ProcessId): Promise<void> {
  await mkdir(usersFolder, { recursive: true });
  await writeFile(userFile(user), '');
  if (!(await exists('register'))) await run('mount', ['-t', 'binfmt_misc', mountSource, kernelFolder]);
  if (!(await exists(entry)))
    await writeFile(join(kernelFolder, 'register'), `:${entry}:M::${magic}:${mask}:${emulatorPath()}:POCF`);
}

/** Give the emulator up for one process and for all that died; unregister it when nobody is left. */
export async function releaseEmulator(user?: ProcessId): Promise<void> {
  if (user) await rm(userFile(user), { force: true });
  for (const name of await readdir(usersFolder).catch(() => [])) {
    const [pid, startTime] = name.split('-').map(Number);
    if (pid === undefined || startTime === undefined) continue;
    if (!(await isAlive({ pid, startTime }))) await rm(join(usersFolder, name), { force: true });
  }
  if ((await readdir(usersFolder).catch(() => [])).length > 0) return;
  if (await exists(entry)) await writeFile(join(kernelFolder, entry), '-1');
  if (await isOurMount()) await run('umount', [kernelFolder]);
  await rmdir(usersFolder).catch(() => undefined);
}

/** Return what of ours is still registered although nobody uses it. */
export async function emulatorLeftovers(): Promise<string[]> {
  if ((await readdir(usersFolder).catch(() => [])).length > 0) return [];
  const found: string[] = [];
  if (await exists(entry)) found.push(`binfmt entry ${entry}`);
  if (await isOurMount()) found.push(`mount ${kernelFolder}`);
  return found;
}

async function exists(name: string): Promise<boolean> {
  return readdir(kernelFolder).then(
    (names) => names.includes(name),
    () => false,
  );
}

async function isOurMount(): Promise<boolean> {
  return (await readFile('/proc/mounts', 'utf8')).includes(`${mountSource} ${kernelFolder} `);
}
