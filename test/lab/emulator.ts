/**
 * The program that runs aarch64 code on this machine. Debian 12 ships qemu 7.2, under which no Ray worker joined a head
 * on x86_64; under the one of its backports they do. It is only unpacked into the cache folder:
 * nothing is installed on the machine.
 */
import { access, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cacheFolder } from './names.ts';
import { debianMirror } from './mirror.ts';
import { run, type Log } from './run.ts';

/** Where the emulator lies once it was fetched. */
export const emulatorPath = (): string => join(cacheFolder(), 'qemu-user-10/usr/bin/qemu-aarch64');

/** Fetch the emulator into the cache when it is not there; apt checks the package's signature. */
export async function ensureEmulator(log: Log): Promise<void> {
  const path = emulatorPath();
  const isThere = await access(path).then(
    () => true,
    () => false,
  );
  if (isThere) return;
  log('fetching qemu-user 10 from bookworm-backports, which runs the aarch64 host');
  const work = join(cacheFolder(), `qemu-${process.pid}.tmp`);
  await mkdir(join(work, 'lists/partial'), { recursive: true });
  const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
  const source = `deb [signed-by=${keyring}] ${await debianMirror()} bookworm-backports main\n`;
  await writeFile(join(work, 'sources.list'), source);
  const apt = [
    ...['-o', `Dir::Etc::SourceList=${work}/sources.list`, '-o', 'Dir::Etc::SourceParts=/dev/null'],
    ...['-o', `Dir::State::Lists=${work}/lists`, '-o', `Dir::Cache=${work}`, '-o', 'APT::Sandbox::User=root'],
  ];
  await run('apt-get', [...apt, 'update'], { cwd: work });
  await run('apt-get', [...apt, 'download', 'qemu-user'], { cwd: work });
  const archive = (await readdir(work)).find((name) => name.endsWith('.deb'));
  if (archive === undefined) throw new Error('apt-get downloaded no package');
  await run('dpkg', ['-x', join(work, archive), join(work, 'tree')]);
  await rename(join(work, 'tree'), join(cacheFolder(), 'qemu-user-10'));
  await rm(work, { recursive: true, force: true });
}
