/** The user's keys, judged before any connection: what cannot work is one sentence, and no key's content is in it. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Socket, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import type { ParsedKey } from 'ssh2';
import type { AgentKeys } from '../../../src/ssh/agent.ts';
import type { SshTarget } from '../../../src/ssh/config.ts';
import { connect } from '../../../src/ssh/connection.ts';
import { readCredentials } from '../../../src/ssh/keys.ts';
import { closeServer, makeKey, plainTarget, until } from '../../support/sshd.ts';
import { newKey, startSshdInProcess } from '../../support/sshd-in-process.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-keys-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const at = (name: string): string => join(folder, name);

/** A target whose cluster file names this key. */
const named = (path: string, changes: Partial<SshTarget> = {}): SshTarget => ({
  ...plainTarget(1, path, '/none'),
  ...changes,
});
/** A target with the keys that ssh would try by itself. */
const usual = (paths: readonly string[], changes: Partial<SshTarget> = {}): SshTarget => ({
  ...named('', { identityFiles: paths.map((path) => ({ path, isNamed: false })), identitiesOnly: false }),
  ...changes,
});

const pem = (type: 'pkcs1' | 'pkcs8', passphrase?: string): string =>
  generateKeyPairSync('rsa', { modulusLength: 2048 })
    .privateKey.export({
      type,
      format: 'pem',
      ...(passphrase !== undefined && { cipher: 'aes-256-cbc', passphrase }),
    })
    .toString();

const dsaPem = (): string =>
  generateKeyPairSync('dsa', { modulusLength: 1024, divisorLength: 160 })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();

describe('a key that the cluster file names', () => {
  test.each([
    ['OpenSSH', () => newKey().private],
    ['OpenSSH, ecdsa', () => newKey('ecdsa').private],
    ['PEM', () => pem('pkcs1')],
  ])('is read (%s)', async (_, content) => {
    await writeFile(at('id'), content(), { mode: 0o600 });
    const { files, names, agent } = await readCredentials(named(at('id')));
    expect({ paths: files.map(({ path }) => path), names, agent }).toEqual({
      paths: [at('id')],
      names: ['id'],
      agent: undefined,
    });
  });

  test.each([
    ['garbage', 'id_garbage', 'it is not a key', () => 'not a key at all\n'],
    ['an empty file', 'id_empty', 'it is not a key', () => ''],
    ['a cut-off key', 'id_cut', 'it is not a key', () => newKey().private.slice(0, 200)],
    [
      'PKCS#8',
      'id_pkcs8',
      'its format (PKCS#8) is not supported; convert a copy with ssh-keygen -p',
      () => pem('pkcs8'),
    ],
    ['DSA', 'id_dsa', 'its format (PKCS#8) is not supported; convert a copy with ssh-keygen -p', dsaPem],
    [
      'a public key',
      'id.pub',
      'it is a public key, and no agent holds its private key',
      () => newKey().public,
    ],
    ['a file far too large', 'id_large', 'it is a file of 70000 bytes, not a key', () => 'x'.repeat(70_000)],
  ])('%s is refused', async (_, name, reason, content) => {
    await writeFile(at(name), content(), { mode: 0o600 });
    await expect(readCredentials(named(at(name)))).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      exitCode: 2,
      message: `the key ${at(name)} cannot be used: ${reason}`,
      advice: expect.stringContaining('ssh.identityFile'),
    });
  });

  test('one that is not there, or a folder', async () => {
    await mkdir(at('folder'));
    await expect(readCredentials(named(at('no')))).rejects.toMatchObject({
      message: `the key ${at('no')} cannot be used: it does not exist`,
    });
    await expect(readCredentials(named(at('folder')))).rejects.toMatchObject({
      message: `the key ${at('folder')} cannot be used: it is a directory`,
    });
  });

  test('one that others can read, as ssh itself refuses it', async () => {
    await writeFile(at('id'), newKey().private, { mode: 0o644 });
    await expect(readCredentials(named(at('id')))).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      data: { reason: 'others can read it (mode 0644); run chmod 600 on it' },
    });
  });

  test('a name with control characters is shown escaped', async () => {
    await expect(readCredentials(named(at('a\u001B[2J')))).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      message: expect.not.stringContaining('\u001B'),
    });
  });

  test.each([
    ['OpenSSH', (path: string) => makeKey(path, 'ed25519', 'secret words')],
    ['PEM', (path: string) => writeFile(path, pem('pkcs1', 'secret words'), { mode: 0o600 })],
    ['PKCS#8', (path: string) => writeFile(path, pem('pkcs8', 'secret words'), { mode: 0o600 })],
  ])('one with a passphrase and no agent (%s) says the command that helps', async (_, make) => {
    await make(at('id'));
    await expect(readCredentials(named(at('id')))).rejects.toMatchObject({
      code: 'KEY_ENCRYPTED',
      exitCode: 2,
      message: `the key ${at('id')} has a passphrase and no agent holds it`,
      advice: `Run: ssh-add ${at('id')}`,
    });
  });

  test('no error carries any of the key', async () => {
    const secret = newKey().private;
    await writeFile(at('id'), secret, { mode: 0o644 });
    await writeFile(at('cut'), secret.slice(0, -60), { mode: 0o600 });
    for (const name of ['id', 'cut']) {
      const failure: unknown = await readCredentials(named(at(name))).catch((error: unknown) => error);
      const { message, data, cause, stack } = failure as Error & { data: unknown };
      const shown = JSON.stringify([message, data, String(cause), stack]);
      for (const line of secret.split('\n').filter((text) => text.length > 20))
        expect(shown).not.toContain(line);
    }
  });
});

describe('the keys that ssh would try', () => {
  test('those that are missing or have a passphrase are passed over', async () => {
    await makeKey(at('locked'), 'ed25519', 'secret words');
    await writeFile(at('id'), newKey().private, { mode: 0o600 });
    const { names } = await readCredentials(usual([at('no'), at('locked'), at('id')]));
    expect(names).toEqual(['id']);
  });

  test('when none is left, the first that could be mended is named', async () => {
    await makeKey(at('locked'), 'ed25519', 'secret words');
    await writeFile(at('garbage'), 'x', { mode: 0o600 });
    await expect(readCredentials(usual([at('no'), at('locked'), at('garbage')]))).rejects.toMatchObject({
      code: 'KEY_ENCRYPTED',
      data: { path: at('locked') },
    });
    await expect(readCredentials(usual([at('no'), at('garbage')]))).rejects.toMatchObject({
      message: `the key ${at('garbage')} cannot be used: it is not a key`,
    });
    await expect(readCredentials(usual([at('no'), at('nor')]))).rejects.toMatchObject({
      code: 'KEY_UNREADABLE',
      message: `the key ${at('no')}, ${at('nor')} cannot be used: there is none, and no agent holds one`,
    });
  });
});

describe('an agent', () => {
  let agentFolder = '';
  let agent: ChildProcess;
  const socket = (): string => join(agentFolder, 'socket');
  beforeAll(async () => {
    agentFolder = await mkdtemp(join(tmpdir(), 'windlass-agent-'));
    agent = spawn('ssh-agent', ['-D', '-a', socket()], { stdio: 'ignore' });
    for (const name of ['one', 'two']) await makeKey(join(agentFolder, name), 'ed25519');
    await until('the agent takes keys', () => {
      try {
        execFileSync('ssh-add', ['-q', join(agentFolder, 'one'), join(agentFolder, 'two')], {
          env: { ...process.env, SSH_AUTH_SOCK: socket() },
          stdio: 'ignore',
        });
        return true;
      } catch {
        return false;
      }
    });
    // Its own file has a passphrase from now on, the agent knows it without one.
    execFileSync('ssh-keygen', ['-q', '-p', '-P', '', '-N', 'secret words', '-f', join(agentFolder, 'two')]);
  });
  afterAll(async () => {
    agent.kill();
    await rm(agentFolder, { recursive: true });
  });

  test('signs with a key whose file has a passphrase, and only that one is offered', async () => {
    const publicKey = execFileSync('cat', [join(agentFolder, 'two.pub')], { encoding: 'utf8' });
    const sshd = await startSshdInProcess({ authorized: [publicKey] });
    const identityFiles = [{ path: join(agentFolder, 'two'), isNamed: true }];
    const connection = await connect(await sshd.target({ identityFiles, agent: socket() }));
    expect(await connection.exec({ file: 'true', args: [] })).toMatchObject({ exitCode: 0 });
    connection.close();
    expect(sshd.seen.offers).toBe(1);
    await sshd.stop();
  });

  test('holds the private half of a public key that is named', async () => {
    await copyFile(join(agentFolder, 'one.pub'), at('one.pub'));
    const { files, names } = await readCredentials(named(at('one.pub'), { agent: socket() }));
    expect({ files, names }).toEqual({ files: [], names: ['test (agent)'] });
  });

  test('offers all its keys when none is named, those of the files first', async () => {
    const two = join(agentFolder, 'two');
    const { agent: all } = await readCredentials(usual([two], { agent: socket() }));
    const { agent: only } = await readCredentials(named(two, { agent: socket() }));
    expect([all?.names.length, only?.names.length]).toEqual([2, 1]);
    const [first, second] = await identities(all);
    expect(await identities(only)).toEqual([first]);
    expect(second).not.toEqual(first);
  });

  test('that is gone is passed over', async () => {
    await writeFile(at('id'), newKey().private, { mode: 0o600 });
    const { names } = await readCredentials(named(at('id'), { agent: at('no-socket') }));
    expect(names).toEqual(['id']);
  });

  test('that says nothing is passed over after a moment', async () => {
    const silent = createServer((line) => line.resume());
    await new Promise<void>((resolve) => silent.listen(at('socket'), resolve));
    await writeFile(at('id'), newKey().private, { mode: 0o600 });
    jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
    const reading = readCredentials(named(at('id'), { agent: at('socket') }));
    const [line] = (await once(silent, 'connection')) as [Socket];
    // The client knows a little later than the server that they are connected.
    await once(line, 'data');
    jest.advanceTimersByTime(3_000);
    jest.useRealTimers();
    expect((await reading).names).toEqual(['id']);
    // Nor does it hold the program open: we have hung up.
    await closeServer(silent);
  });
});

const identities = (agent: AgentKeys | undefined): Promise<string[]> =>
  new Promise((resolve, reject) => {
    agent?.getIdentities((error, keys = []) => {
      if (error) reject(error);
      else resolve(keys.map((key) => (key as ParsedKey).getPublicSSH().toString('base64')));
    });
  });
