/**
 * Sees to it that this machine can run a lab: root, and Debian's packages for images and containers.
 */
import { access } from 'node:fs/promises';
import { run, succeeds, type Log } from './run.ts';

const packages: Record<string, string> = {
  '/usr/sbin/debootstrap': 'debootstrap',
  '/usr/share/keyrings/debian-archive-keyring.gpg': 'debian-archive-keyring',
  '/usr/bin/systemd-nspawn': 'systemd-container',
  '/usr/bin/ssh-keygen': 'openssh-client',
  '/usr/sbin/nft': 'nftables',
  '/usr/sbin/tc': 'iproute2',
};

/** Install the system packages that the lab lacks; throw one sentence where this machine cannot run a lab. */
export async function ensureLabPackages(log: Log): Promise<void> {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    throw new Error('the lab boots its hosts with systemd-nspawn and needs Linux on x86_64');
  if (process.getuid?.() !== 0)
    throw new Error('the lab boots its hosts with systemd-nspawn and needs root: run it with sudo');
  const missing = await missingPackages(packages);
  if (missing.length === 0) return;
  log(`installing system packages for the lab: ${missing.join(', ')}`);
  await installPackages(missing);
}

async function missingPackages(wanted: Record<string, string>): Promise<string[]> {
  const present = await Promise.all(
    Object.keys(wanted).map((file) =>
      access(file).then(
        () => true,
        () => false,
      ),
    ),
  );
  return Object.values(wanted).filter((_, index) => present[index] === false);
}

async function installPackages(names: string[]): Promise<void> {
  if (!(await succeeds('apt-get', ['--version'])))
    throw new Error(`the lab needs ${names.join(', ')}; install them, there is no apt-get to do it`);
  const options = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
  // Another program may be installing something just now.
  const wait = ['--option', 'DPkg::Lock::Timeout=300'];
  const install = [...wait, 'install', '--yes', '--no-install-recommends', ...names];
  // A machine that was never updated has no package lists, or lists that name files the mirror has replaced.
  if (await succeeds('apt-get', install, options)) return;
  await run('apt-get', ['update'], options);
  await run('apt-get', install, options);
}
