/** Where a node is reached, by the answer of the real `ssh -G` to configurations of the test. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type SshOverrides, resolveSshTarget } from '../../../src/ssh/config.ts';

let folder = '';
let configFile = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-config-'));
  configFile = join(folder, 'config');
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const env = { PATH: process.env['PATH'], KEYS: '/keys', SSH_AUTH_SOCK: '/agent' };
async function resolved(name: string, config: string, overrides: SshOverrides = {}) {
  await writeFile(configFile, config);
  return resolveSshTarget(name, overrides, { env, configFile });
}
const { username, homedir } = userInfo();

describe('a target', () => {
  test('without any configuration is the current user on port 22, with the keys that ssh would try', async () => {
    expect(await resolved('10.0.0.22', '')).toMatchObject({
      name: '10.0.0.22',
      host: '10.0.0.22',
      port: 22,
      user: username,
      identitiesOnly: false,
      agent: '/agent',
      jumps: [],
      identityFiles: expect.arrayContaining([{ path: `${homedir}/.ssh/id_ed25519`, isNamed: false }]),
      knownHostsFiles: expect.arrayContaining([`${homedir}/.ssh/known_hosts`, '/etc/ssh/ssh_known_hosts']),
    });
  });

  test('is what the configuration says, and above it what the cluster file says', async () => {
    const config = `Host spark
      HostName 10.0.0.22
      User nvidia
      Port 2222
      HostKeyAlias one-of-many
      IdentityFile \${KEYS}/%h-%p-%r-%n-%%
      IdentitiesOnly yes
      IdentityAgent none
      UserKnownHostsFile "${folder}/mine" /dev/null
      GlobalKnownHostsFile none\n`;
    const configured = await resolved('spark', config);
    expect(configured).toEqual({
      name: 'spark',
      host: '10.0.0.22',
      port: 2222,
      user: 'nvidia',
      hostKeyAlias: 'one-of-many',
      identityFiles: [{ path: '/keys/10.0.0.22-2222-nvidia-spark-%', isNamed: false }],
      identitiesOnly: true,
      knownHostsFiles: [`${folder}/mine`],
      jumps: [],
    });
    const overrides = { host: 'spark', user: 'root', port: 22, identityFile: '~/mine' };
    expect(await resolved('the head', config, overrides)).toMatchObject({
      name: 'the head',
      host: '10.0.0.22',
      port: 22,
      user: 'root',
      identityFiles: [{ path: `${homedir}/mine`, isNamed: true }],
    });
  });

  test('that shall use no key file has none', async () => {
    const { identityFiles } = await resolved('spark', 'Host spark\n  IdentityFile none\n');
    expect(identityFiles).toEqual([]);
  });

  test.each([
    ['SSH_AUTH_SOCK', '/agent'],
    ['$KEYS', '/keys'],
    ['${KEYS}/agent', '/keys/agent'],
    ['~/agent', `${homedir}/agent`],
    ['none', undefined],
  ])('IdentityAgent %s', async (setting, agent) => {
    expect((await resolved('spark', `IdentityAgent ${setting}\n`)).agent).toBe(agent);
  });

  test('has the jump hosts of the configuration, in order, the first with its own', async () => {
    const config = `Host spark
      ProxyJump me@gate:2200,[::1]:2201
    Host gate
      HostName 10.0.0.1
      ProxyJump outer\n`;
    const { jumps } = await resolved('spark', config);
    expect(jumps).toMatchObject([
      { host: 'outer', port: 22, user: username, jumps: [] },
      { host: '10.0.0.1', port: 2200, user: 'me', jumps: [] },
      { host: '::1', port: 2201, user: username, jumps: [] },
    ]);
  });
});

describe('no target', () => {
  test('a configuration that ssh does not read: which line of it', async () => {
    const failure = resolved('spark', 'Host spark\n  Hostnam 10.0.0.22\n');
    await expect(failure).rejects.toMatchObject({
      code: 'SSH_CONFIG',
      exitCode: 2,
      message: expect.stringMatching(
        /^ssh -G spark gave no settings: .*config: line 2: Bad configuration option: hostnam/,
      ),
    });
  });

  test('a configuration that is not there', async () => {
    const options = { env, configFile: join(folder, 'none') };
    await expect(resolveSshTarget('spark', {}, options)).rejects.toMatchObject({
      code: 'SSH_CONFIG',
      message: expect.stringContaining('No such file or directory'),
    });
  });

  test('no ssh on this machine', async () => {
    await writeFile(configFile, '');
    const options = { env: { PATH: folder }, configFile };
    await expect(resolveSshTarget('spark', {}, options)).rejects.toMatchObject({
      code: 'SSH_CONFIG',
      message: 'ssh -G spark gave no settings: the ssh client is not installed on this machine',
    });
  });

  test('an ssh that says nothing', async () => {
    await writeFile(join(folder, 'ssh'), '#!/bin/sh\nexit 7\n', { mode: 0o755 });
    await expect(resolveSshTarget('spark', {}, { env: { PATH: folder } })).rejects.toMatchObject({
      message: 'ssh -G spark gave no settings: it ended with exit code 7',
    });
  });

  test('a proxy command, which is not run', async () => {
    const canary = join(folder, 'canary');
    const failure = resolved('spark', `Host spark\n  ProxyCommand touch ${canary}\n`);
    await expect(failure).rejects.toMatchObject({
      code: 'SSH_CONFIG',
      message: 'ssh -G spark gave no settings: ProxyCommand is not supported; use ProxyJump',
    });
    expect(existsSync(canary)).toBe(false);
  });

  test('jump hosts that lead in a circle', async () => {
    const failure = resolved('spark', 'Host spark\n  ProxyJump gate\nHost gate\n  ProxyJump spark\n');
    await expect(failure).rejects.toMatchObject({
      code: 'SSH_CONFIG',
      message: expect.stringContaining('more than 8 jumps (spark → gate → spark'),
    });
  });

  test.each([
    ['-oProxyCommand=touch /tmp/pwn', {}, 'host'],
    ['spark', { host: '-F/etc/shadow' }, 'host'],
    ['spark', { user: '-oProxyCommand=id' }, 'user'],
    ['spark id', {}, 'host'],
    ['spark\nid', {}, 'host'],
    ['', {}, 'host'],
  ])('%j %j, which ssh could take for an option', async (name, overrides, what) => {
    await expect(resolved(name, '', overrides)).rejects.toMatchObject({
      code: 'USAGE',
      message: expect.stringMatching(new RegExp(`^[^\\n]+ is not an ssh ${what}$`)),
    });
  });

  test('a host or user of the configuration that is an option', async () => {
    await expect(resolved('spark', 'Host spark\n  User -oProxyCommand=id\n')).rejects.toMatchObject({
      exitCode: 2,
    });
  });
});
