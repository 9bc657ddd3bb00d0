/**
 * The operator's environment: a home folder with ssh settings, key and the hosts' true keys, as a person has who set
 * the machines up. OpenSSH looks for its settings where the password file says, not where HOME says, so a small
 * `ssh` in front of PATH names the settings file.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { user, type HostSpec } from './hosts.ts';
import { cacheFolder, type LabNames } from './names.ts';
import { run } from './run.ts';

/** Return the lab's ssh key files, made once and kept in the cache folder. */
export async function ensureOperatorKey(): Promise<{ keyFile: string; publicKey: string }> {
  const keyFile = join(cacheFolder(), 'operator_ed25519');
  const read = () => readFile(`${keyFile}.pub`, 'utf8');
  await mkdir(cacheFolder(), { recursive: true });
  const publicKey = await read().catch(async () => {
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'operator@windlass-lab', '-f', keyFile]);
    return read();
  });
  return { keyFile, publicKey };
}

/** Write the operator's home for these hosts; `keys` are their public host keys by name. */
export async function writeOperatorHome(
  names: LabNames,
  hosts: readonly HostSpec[],
  keys: ReadonlyMap<string, string>,
): Promise<void> {
  const ssh = join(names.operatorHome, '.ssh');
  const bin = join(names.operatorHome, 'bin');
  await mkdir(ssh, { recursive: true, mode: 0o700 });
  await mkdir(bin, { recursive: true });
  const { keyFile } = await ensureOperatorKey();
  await writeFile(join(ssh, 'id_ed25519'), await readFile(keyFile), { mode: 0o600 });
  const known = hosts.map((host) => `${host.sshAddress},${host.name} ${keys.get(host.name) ?? ''}\n`);
  await writeFile(join(ssh, 'known_hosts'), known.join(''));
  await writeFile(join(ssh, 'config'), sshConfig(ssh, hosts));
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${ssh}/config "$@"\n`, { mode: 0o755 });
}

function sshConfig(folder: string, hosts: readonly HostSpec[]): string {
  const perHost = hosts.map((host) => `Host ${host.name}\n  HostName ${host.sshAddress}\n`);
  const common = [
    'Host *',
    `  User ${user.name}`,
    `  IdentityFile ${folder}/id_ed25519`,
    '  IdentitiesOnly yes',
    `  UserKnownHostsFile ${folder}/known_hosts`,
    '  StrictHostKeyChecking yes',
    '  BatchMode yes',
    '',
  ];
  return [...perHost, ...common].join('\n');
}

/** Return the environment of a process of the operator's: nothing of this machine's user but PATH and the like. */
export function operatorEnvironment(names: LabNames): Record<string, string> {
  const path = process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin';
  return {
    HOME: names.operatorHome,
    PATH: `${join(names.operatorHome, 'bin')}:${path}`,
    USER: 'root',
    LANG: 'C.UTF-8',
    TERM: process.env['TERM'] ?? 'dumb',
  };
}
