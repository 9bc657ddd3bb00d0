/**
 * Makes the Debian root that all hosts of one architecture share as the lower layer of their overlays. It is kept
 * in the cache folder under a hash of its recipe and is never written to: changing a lower layer that is mounted
 * gives each reader another truth.
 */
import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireEmulator, releaseEmulator } from './binfmt.ts';
import type { Arch } from './hosts.ts';
import { unmountBelow } from './mounts.ts';
import { debianMirror, suite } from './mirror.ts';
import { cacheFolder } from './names.ts';
import { readProcessId } from './processes.ts';
import { run, type Log } from './run.ts';

/** polkitd lets a user switch lingering on; without it `loginctl enable-linger` is refused. */
const packages = [
  ['systemd', 'systemd-sysv', 'dbus', 'dbus-user-session', 'libpam-systemd', 'polkitd', 'openssh-server'],
  ['iproute2', 'iputils-ping', 'procps', 'python3', 'python3-venv', 'curl', 'ca-certificates', 'sudo'],
].flat();
/** What debootstrap leaves that no host may share, or that only takes room. */
const removed = `
  etc/hostname etc/resolv.conf etc/machine-id var/lib/dbus/machine-id
  etc/ssh/ssh_host_* var/cache/apt/archives/*.deb var/lib/apt/lists/*_* var/log/bootstrap.log`
  .trim()
  .split(/\s+/);
const debianArch: Record<Arch, string> = { x86_64: 'amd64', aarch64: 'arm64' };

/** Return the folder of the finished root for an architecture, building it first where it is not cached. */
export async function ensureImage(arch: Arch, log: Log): Promise<string> {
  const recipe = JSON.stringify({ suite, packages, removed, arch });
  const hash = createHash('sha256').update(recipe).digest('hex').slice(0, 12);
  const image = join(cacheFolder(), `image-${arch}-${hash}`);
  if (await stat(image).catch(() => undefined)) return image;
  const minutes = arch === 'aarch64' ? 'about 5 minutes' : 'about 1 minute';
  log(`building the ${arch} image of the lab's hosts with debootstrap: ${minutes}, once`);
  await removeUnfinished();
  const building = `${image}.${String(process.pid)}.building`;
  try {
    await buildImage(arch, building);
    // Whoever comes second finds the name taken and uses the first one's image.
    await rename(building, image).catch(async (error: unknown) => {
      if (!(await stat(image).catch(() => undefined))) throw error;
    });
  } finally {
    await discard(building);
  }
  return image;
}

async function buildImage(arch: Arch, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const self = arch === 'aarch64' ? await readProcessId(process.pid) : undefined;
  if (self) await acquireEmulator(self);
  try {
    const options = [`--arch=${debianArch[arch]}`, '--variant=minbase', `--include=${packages.join(',')}`];
    await run('debootstrap', [...options, suite, folder, await debianMirror()]);
    await run('sh', ['-c', `cd "$1" && rm -f -- ${removed.join(' ')}`, 'sh', folder]);
  } finally {
    if (self) await releaseEmulator(self);
  }
}

/** Remove what builders that were killed have left. */
async function removeUnfinished(): Promise<void> {
  for (const name of await readdir(cacheFolder()).catch(() => [])) {
    const pid = /\.(\d+)\.building$/.exec(name)?.[1];
    if (pid !== undefined && !(await readProcessId(Number(pid)))) await discard(join(cacheFolder(), name));
  }
}

async function discard(folder: string): Promise<void> {
  await unmountBelow(folder); // debootstrap mounts /proc and /sys inside and leaves them when it is killed
  await rm(folder, { recursive: true, force: true });
}
