/**
 * What only OpenSSH's own server can show: a real sshd, run on loopback for each test, with the limits and refusals
 * that administrators set. Everything that any ssh server does is in test/unit/ssh.
 */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterEach, expect, test } from '@jest/globals';
import { type SshConnection, connect } from '../../src/ssh/connection.ts';
import { execScript } from '../../src/ssh/exec.ts';
import { forwardLocal } from '../../src/ssh/forward.ts';
import { uploadFiles } from '../../src/ssh/upload.ts';
import { type Sshd, type SshdOptions, startSshd, until } from '../support/sshd.ts';
import { startTcp } from '../support/sshd-in-process.ts';

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).toReversed()) await close();
});

async function start(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await startSshd(options);
  opened.push(() => sshd.stop());
  return sshd;
}

async function open(sshd: Sshd, changes: Parameters<Sshd['target']>[0] = {}): Promise<SshConnection> {
  const connection = await connect(await sshd.target(changes));
  opened.push(() => {
    connection.close();
  });
  return connection;
}

const shell = (script: string) => ({ file: 'sh', args: ['-c', script] });

test('a login, a script, and how commands end', async () => {
  const connection = await open(await start());
  expect(await execScript(connection, 'echo "$1"; exit 3', ["it's"])).toMatchObject({
    verdict: 'exited',
    exitCode: 3,
    stdout: "it's\n",
  });
  expect(await connection.exec(shell('kill -KILL $$'))).toMatchObject({
    verdict: 'signalled',
    signal: 'SIGKILL',
  });
  const left = await connection.exec(shell('sleep 20 & echo all; exit 4'));
  expect(left).toMatchObject({ verdict: 'exited', exitCode: 4, stdout: 'all\n' });
  const late = await connection.exec(shell('exec sleep 20'), { timeoutMs: 300 });
  expect(late).toMatchObject({ verdict: 'lost', timedOut: true });
}, 20_000);

test('of several host keys the known one is asked for, whatever the order of the server', async () => {
  const sshd = await start({ hostKeyTypes: ['rsa', 'ed25519', 'ecdsa'] });
  for (const type of ['ssh-rsa', 'ssh-ed25519', 'ecdsa-sha2-nistp256']) {
    const knownHosts = join(sshd.folder, `known_${type}`);
    const key = sshd.hostKeys.find((line) => line.startsWith(type));
    await writeFile(knownHosts, `[127.0.0.1]:${sshd.port} ${key ?? ''}\n`);
    const connection = await open(sshd, { knownHostsFiles: [knownHosts] });
    expect(connection.isOpen).toBe(true);
  }
});

test('a host whose key is not known is offered no key', async () => {
  const sshd = await start();
  await expect(open(sshd, { known: false })).rejects.toMatchObject({ code: 'SSH_HOST_KEY_UNKNOWN' });
  await until('sshd saw us leave', () => sshd.log().includes('[preauth]'));
  expect(sshd.log()).not.toMatch(/publickey|authenticating user/);
});

test('a refused login says what was tried', async () => {
  const sshd = await start();
  const target = await sshd.target();
  await writeFile(join(sshd.folder, 'authorized_keys'), '');
  await expect(connect(target)).rejects.toMatchObject({
    code: 'SSH_AUTH',
    message: expect.stringContaining('tried publickey with id_test; the server takes publickey'),
  });
});

test('a server that ends the login after too many keys is quoted', async () => {
  const sshd = await start({ config: ['MaxAuthTries 1'] });
  await writeFile(join(sshd.folder, 'authorized_keys'), '');
  await expect(open(sshd)).rejects.toMatchObject({
    code: 'SSH_AUTH',
    message: expect.stringMatching(/id_test.*it said .*Too many authentication failures/),
  });
});

test('a server that allows no session and no tunnel says so', async () => {
  const connection = await open(await start({ config: ['MaxSessions 0', 'AllowTcpForwarding no'] }));
  await expect(connection.exec({ file: 'true', args: [] })).rejects.toMatchObject({
    code: 'REMOTE_COMMAND',
    data: { ended: 'a refused session' },
  });
  await expect(connection.openTunnel('127.0.0.1', 9)).rejects.toMatchObject({
    code: 'SSH_UNREACHABLE',
    message: expect.stringMatching(/cannot be reached: through 127\.0\.0\.1: .+/),
  });
  expect(connection.isOpen).toBe(true);
});

test('a server that takes no more logins now is not taken for another server', async () => {
  const sshd = await start({ config: ['MaxStartups 1', 'LoginGraceTime 30'] });
  // The one place is taken by a client that says nothing, once that of the fixture's own look has been given back.
  await until('a silent client has the place', async () => {
    const silent = connectTcp(sshd.port, '127.0.0.1').on('error', () => undefined);
    opened.push(() => silent.destroy());
    const [greeting] = (await once(silent, 'data')) as [Buffer];
    return greeting.toString().startsWith('SSH-2.0');
  });
  await expect(open(sshd)).rejects.toMatchObject({
    code: 'SSH_LOST',
    retryable: true,
    message: expect.stringMatching(/Exceeded MaxStartups|Not allowed at this time/),
  });
});

test('a forward carries bytes both ways, and each half ends by itself', async () => {
  const echo = await startTcp((socket) => socket.pipe(socket));
  opened.push(echo.close);
  const connection = await open(await start());
  const forward = await forwardLocal(connection, { toHost: '127.0.0.1', toPort: echo.port });
  opened.push(() => forward.close());
  const words = 'words'.repeat(200_000);
  const socket = connectTcp({ port: forward.port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end(words);
  expect((await text(socket)) === words).toBe(true);
});

test('an upload comes whole; one whose line is cut leaves the old file and nothing else', async () => {
  const sshd = await start();
  const relay = await startTcp((socket) => {
    const far = connectTcp(sshd.port, '127.0.0.1').on('error', () => undefined);
    let bytes = 0;
    socket.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes > 3_000_000) for (const end of [socket, far]) end.destroy();
    });
    socket.pipe(far).pipe(socket);
    socket.once('close', () => far.destroy());
  });
  opened.push(relay.close);
  const path = join(sshd.folder, 'there', 'file');
  const file = (content: Buffer) => ({
    source: content,
    path,
    mode: 0o640,
    sha256: createHash('sha256').update(content).digest('hex'),
  });
  const small = randomBytes(1_000_000);
  const straight = await open(sshd);
  expect(await uploadFiles(straight, [file(small)])).toEqual({ written: [path], bytesSent: 1_000_000 });
  expect(await uploadFiles(straight, [file(small)])).toEqual({ written: [], bytesSent: 0 });
  const { hostKey } = straight;
  const relayed = await connect({ ...(await sshd.target()), port: relay.port }, { hostKeyPins: [hostKey] });
  await expect(uploadFiles(relayed, [file(randomBytes(8_000_000))])).rejects.toMatchObject({
    code: 'SSH_LOST',
  });
  expect((await readFile(path)).equals(small)).toBe(true);
  await until('sshd has cleaned up', async () => (await readdir(join(path, '..'))).join() === 'file');
}, 20_000);
