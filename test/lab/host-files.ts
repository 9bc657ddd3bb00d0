/**
 * Makes a new host out of the shared image: what a person would set up on a fresh machine (a user, its key, names)
 * and the stand-ins for the GPU. Everything is written into the host's own overlay, from outside, before it boots.
 */
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { gpuDevices, gpuFacts, hostSpecs, user, userGroups, type Arch, type HostSpec } from './hosts.ts';
import { hostFolders, repositoryRoot, type LabNames } from './names.ts';
import { run } from './run.ts';

/** Units that wake up by themselves, would use the network, or fail in a container. */
const maskedUnits = `
  apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service
  fstrim.timer systemd-tmpfiles-clean.timer systemd-firstboot.service`
  .trim()
  .split(/\s+/);

/** Units for which systemd makes a credentials mount, which the emulator's kernel interface refuses. */
const credentialUnits = [
  'systemd-sysusers',
  'systemd-tmpfiles-setup',
  'systemd-tmpfiles-setup-dev',
  'systemd-sysctl',
];

/** Mount a host's file system: the shared image below, what the host changes above; it survives a power cut. */
export async function mountHost(names: LabNames, host: string, image: string): Promise<void> {
  const { upper, work, root } = hostFolders(names, host);
  for (const folder of [upper, work, root]) await mkdir(folder, { recursive: true });
  const options = `lowerdir=${image},upperdir=${upper},workdir=${work}`;
  await run('mount', ['-t', 'overlay', '-o', options, `${names.cgroup}-${host}`, root]);
}

/**
 * Read by every Python of an emulated host as it starts. A raylet gives its dashboard agent 15 s to name its port, which
 * no setting of Ray changes. Emulated, it needs 10 s by itself, and 15 s beside the two other helpers of Ray that start
 * at the same moment on the same two cores. So these two wait for it, a little longer than the raylet would.
 */
const pythonStart = `import glob, sys, time

late = ("/ray/_private/log_monitor.py", "/ray/_private/runtime_env/agent/main.py")
if any(word.endswith(late) for word in sys.orig_argv):
    session = next(word for word in sys.orig_argv if word.startswith("--session-dir=")).partition("=")[2]
    end = time.monotonic() + 20
    while not glob.glob(f"{session}/dashboard_agent_listen_port_*") and time.monotonic() < end:
        time.sleep(0.1)
`;

/** Write the files of a new host into its overlay: identity, user, sshd, units and GPU stand-ins. */
export async function writeHostFiles(
  root: string,
  host: HostSpec,
  arch: Arch,
  operatorKey: string,
): Promise<void> {
  const write = async (path: string, text: string, mode = 0o644) => {
    const file = join(root, path);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, text);
    await chmod(file, mode);
  };
  await write('etc/hostname', `${host.name}\n`);
  await write('etc/machine-id', `${randomBytes(16).toString('hex')}\n`);
  await write('etc/resolv.conf', '');
  await write('etc/hosts', hostsTable());
  await writeUser(root, arch, operatorKey);
  await writeSsh(root, host, write);
  await writeUnits(root, host, write);
  if (arch === 'aarch64') await writeEmulated(write);
  await writeGpu(host, write);
}

type Write = (path: string, text: string, mode?: number) => Promise<void>;

function hostsTable(): string {
  const rows = hostSpecs.map(({ address, name }) => `${address} ${name}`);
  return ['127.0.0.1 localhost', '::1 localhost ip6-localhost ip6-loopback', ...rows, ''].join('\n');
}

async function writeUser(root: string, arch: Arch, operatorKey: string): Promise<void> {
  const { name, id, home } = user;
  const group = userGroups(arch);
  const groups = await readFile(join(root, 'etc/group'), 'utf8');
  const withRender = /^render:/m.test(groups) ? groups : `${groups}render:x:990:\n`;
  const joined = withRender.replace(/^([^:]+):.*:$/gm, (line, other: string) =>
    group.others.includes(other) ? `${line}${name}` : line,
  );
  await writeFile(join(root, 'etc/group'), `${joined}${name}:x:${String(id)}:\n`);
  await appendFile(
    join(root, 'etc/passwd'),
    `${name}:x:${String(id)}:${String(group.id)}::${home}:/bin/bash\n`,
  );
  await appendFile(join(root, 'etc/shadow'), `${name}:*:20000:0:99999:7:::\n`);
  await appendFile(join(root, 'etc/gshadow'), `${name}:!::\n`);
  const folder = join(root, home);
  await cp(join(root, 'etc/skel'), folder, { recursive: true });
  await mkdir(join(folder, '.ssh'), { mode: 0o700 });
  await writeFile(join(folder, '.ssh/authorized_keys'), operatorKey, { mode: 0o600 });
  await run('chown', ['-R', `${String(id)}:${String(group.id)}`, folder]);
  await chmod(folder, 0o750);
}

/** ed25519 only: an emulated host takes 10 s and more over an RSA key. */
async function writeSsh(root: string, host: HostSpec, write: Write): Promise<void> {
  const key = join(root, 'etc/ssh/ssh_host_ed25519_key');
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', `root@${host.name}`, '-f', key]);
  const listen = host.management ? [`ListenAddress ${host.sshAddress}`] : [];
  const lines = ['HostKey /etc/ssh/ssh_host_ed25519_key', 'PasswordAuthentication no', ...listen, ''];
  await write('etc/ssh/sshd_config.d/lab.conf', lines.join('\n'));
  // sshd gives up for good where its address is not there yet; on a real host the network comes first, too.
  const addresses = [host.cluster, host.management].flatMap((line) => line?.address.split('/')[0] ?? []);
  const waits = addresses.map(
    (address) => `until grep -q ${address} /proc/net/fib_trie; do sleep 0.05; done`,
  );
  await write('usr/local/sbin/wait-for-addresses', `#!/bin/sh\n${waits.join('\n')}\n`, 0o755);
  const dropIn = '[Service]\nExecStartPre=/usr/local/sbin/wait-for-addresses\n';
  await write('etc/systemd/system/ssh.service.d/lab.conf', dropIn);
}

async function writeUnits(root: string, host: HostSpec, write: Write): Promise<void> {
  for (const unit of maskedUnits) await symlink('/dev/null', join(root, 'etc/systemd/system', unit));
  const nodes = gpuDevices[host.kind].map((path) => `c ${path} 0660 root video - 1:3`);
  await write('etc/tmpfiles.d/lab-gpu.conf', `${nodes.join('\n')}\n`);
}

/** What an emulated host needs to behave as a real one would. */
async function writeEmulated(write: Write): Promise<void> {
  const noCredentials = '[Service]\nLoadCredential=\nSetCredential=\n';
  for (const unit of credentialUnits)
    await write(`etc/systemd/system/${unit}.service.d/lab.conf`, noCredentials);
  await write('etc/python3.11/sitecustomize.py', pythonStart);
}

async function writeGpu(host: HostSpec, write: Write): Promise<void> {
  await write('etc/windlass-lab/gpu.json', `${JSON.stringify(gpuFacts[host.kind])}\n`);
  if (host.kind === 'thor')
    await write(
      'etc/nv_tegra_release',
      '# R38 (release), REVISION: 2.0, GCID: 0, BOARD: generic, EABI: aarch64\n',
    );
  const standIn = await readFile(join(repositoryRoot, 'test/standin/nvidia-smi'), 'utf8').catch(
    () => undefined,
  );
  if (standIn !== undefined) await write('usr/bin/nvidia-smi', standIn, 0o755);
}

/** Read a host's public ssh key from its file system, which no one in between can have changed. */
export async function readHostKey(root: string): Promise<string> {
  const [type, key] = (await readFile(join(root, 'etc/ssh/ssh_host_ed25519_key.pub'), 'utf8')).split(' ');
  return `${type ?? ''} ${key ?? ''}`;
}
