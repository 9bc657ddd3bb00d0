/** What stands between us and a login: each thing that can go wrong has its own code and its own advice. */
import { afterEach, describe, expect, test } from '@jest/globals';
import type { Socket } from 'node:net';
import { connect } from '../../../src/ssh/connection.ts';
import { freePort, plainTarget, until } from '../../support/sshd.ts';
import { type SshdInProcess, startSshdInProcess, startTcp } from '../../support/sshd-in-process.ts';

const opened: { stop: () => Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ stop }) => stop()));
});

async function startServer(options = {}): Promise<SshdInProcess> {
  const sshd = await startSshdInProcess(options);
  opened.push(sshd);
  return sshd;
}

/** A target that leads to a port where something else than an ssh server answers. */
async function targetOf(answer: (socket: Socket) => void) {
  const { port, close } = await startTcp(answer);
  opened.push({ stop: close });
  return { ...(await (await startServer()).target()), port };
}

describe('no ssh server', () => {
  test('a port where nothing listens', async () => {
    const target = { ...(await (await startServer()).target()), port: await freePort() };
    await expect(connect(target)).rejects.toMatchObject({
      code: 'SSH_REFUSED',
      exitCode: 1,
      message: `nothing listens on 127.0.0.1:${target.port} (connection refused)`,
      advice: expect.stringMatching(/Start sshd there, or set ssh\.port/),
    });
  });

  test('a port that accepts and says nothing is given up after the time that was said', async () => {
    const target = await targetOf(() => undefined);
    const started = performance.now();
    await expect(connect(target, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'SSH_TIMEOUT',
      message: `no answer from 127.0.0.1:${target.port} within 0.3 s`,
      advice: expect.stringContaining('Is the machine on, on this network'),
    });
    expect(performance.now() - started).toBeGreaterThan(250);
    expect(performance.now() - started).toBeLessThan(3_000);
  });

  test('one that stops answering after its first words', async () => {
    const target = await targetOf((socket) => socket.write('SSH-2.0-OpenSSH_9.2\r\n'));
    await expect(connect(target, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'SSH_TIMEOUT',
      data: { phase: 'handshake' },
    });
  });

  test('a web server', async () => {
    const target = await targetOf((socket) => {
      socket.once('data', () => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    });
    await expect(connect(target)).rejects.toMatchObject({
      code: 'SSH_NOT_SSH',
      message: expect.stringMatching(/ is not an ssh server; it said .*HTTP\/1\.1 400 Bad Request/),
      advice: 'Set ssh.port in the cluster file.',
    });
  });

  test('a server that greets in another tongue and then waits; what it said is shown escaped', async () => {
    const target = await targetOf((socket) => socket.write('220 mail\u001B[2J ready\r\n'));
    await expect(connect(target, { timeoutMs: 300 })).rejects.toMatchObject({
      code: 'SSH_NOT_SSH',
      message: expect.not.stringContaining('\u001B'),
      data: { said: expect.stringMatching(/220 mail\S*\[2J ready/) },
    });
  });

  test('noise without an end is not collected', async () => {
    const target = await targetOf((socket) => {
      const noise = (): void => void (socket.destroyed || socket.write('x'.repeat(65_536), noise));
      noise();
    });
    const failure = await connect(target, { timeoutMs: 1_000 }).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'SSH_NOT_SSH' });
    expect((failure as Error).message.length).toBeLessThan(1_000);
  });

  test('a connection that is closed without a word', async () => {
    const target = await targetOf((socket) => socket.end());
    await expect(connect(target)).rejects.toMatchObject({
      code: 'SSH_LOST',
      message: expect.stringContaining('the connection to 127.0.0.1 was lost during the handshake'),
    });
  });

  test('an sshd that has too many logins under way is not taken for another server', async () => {
    const target = await targetOf((socket) => socket.end('Exceeded MaxStartups\r\n'));
    await expect(connect(target)).rejects.toMatchObject({
      code: 'SSH_LOST',
      retryable: true,
      message: expect.stringContaining('Exceeded MaxStartups'),
    });
  });

  test('a server with which we share no key exchange', async () => {
    const sshd = await startServer({ kex: ['diffie-hellman-group1-sha1'] });
    await expect(connect(await sshd.target())).rejects.toMatchObject({
      code: 'SSH_UNREACHABLE',
      message: expect.stringContaining('no matching key exchange algorithm'),
    });
  });
});

describe('the login', () => {
  test('a refused key: which one, as whom, what the server takes, and what to do', async () => {
    const sshd = await startServer();
    sshd.refuse('logins');
    await expect(connect(await sshd.target({ user: 'somebody' }))).rejects.toMatchObject({
      code: 'SSH_AUTH',
      retryable: false,
      message:
        '127.0.0.1 refused the login as somebody (tried publickey with id_test; the server takes publickey)',
      advice: expect.stringMatching(/authorized_keys there, or name another key in ssh\.identityFile/),
    });
    expect(sshd.seen.offers).toBe(1);
  });

  test('a connection that breaks during the login', async () => {
    const sshd = await startServer();
    sshd.onOffer(() => {
      sshd.cut();
    });
    await expect(connect(await sshd.target())).rejects.toMatchObject({
      code: 'SSH_LOST',
      message: expect.stringContaining('during the login'),
    });
  });
});

describe('an open connection', () => {
  test('says that it was closed by us', async () => {
    const connection = await connect(await (await startServer()).target());
    expect(connection.isOpen).toBe(true);
    connection.close();
    connection.close();
    expect(await connection.closed).toBe('closed');
    expect(connection.isOpen).toBe(false);
  });

  test('says that it was cut, and what was asked of it afterwards is lost', async () => {
    const sshd = await startServer();
    const connection = await connect(await sshd.target());
    sshd.cut();
    expect(await connection.closed).toMatch(/ECONNRESET|the other side closed it/);
    await expect(connection.openSession('true')).rejects.toMatchObject({
      code: 'SSH_LOST',
      message: expect.stringMatching(/^the connection to 127\.0\.0\.1 was lost before the command \(.+\)$/),
    });
  });

  test('a session that the server refuses is its answer, and not a lost connection', async () => {
    const sshd = await startServer();
    const connection = await connect(await sshd.target());
    for (const what of ['sessions', 'commands'] as const) {
      sshd.refuse(what);
      await expect(connection.openSession('true')).rejects.toMatchObject({
        code: 'REMOTE_COMMAND',
        data: { ended: 'a refused session' },
      });
    }
    sshd.refuse(undefined);
    expect(await connection.exec({ file: 'true', args: [] })).toMatchObject({ exitCode: 0 });
    connection.close();
  });
});

describe('a jump host', () => {
  test('leads to a host, and is left when that is left', async () => {
    const [gate, inner] = [await startServer(), await startServer()];
    const connection = await connect(await inner.target({ jumps: [await gate.target()] }));
    expect(await connection.exec({ file: 'echo', args: ['there'] })).toMatchObject({ stdout: 'there\n' });
    expect([gate.seen.commands, inner.seen.commands]).toEqual([[], ['exec echo there']]);
    connection.close();
    await connection.closed;
    await until('the gate is left', () => gate.open() === 0);
  });

  test('proves its own key, before anything is sent beyond it', async () => {
    const [gate, inner] = [await startServer(), await startServer()];
    const stranger = await gate.target({ known: false });
    await expect(connect(await inner.target({ jumps: [stranger] }))).rejects.toMatchObject({
      code: 'SSH_HOST_KEY_UNKNOWN',
    });
    expect([gate.seen.offers, inner.seen.connections]).toEqual([0, 0]);
  });

  test('that may not lead on, or finds nobody there', async () => {
    const gate = await startServer();
    const gateTarget = await gate.target();
    const nobody = { ...plainTarget(await freePort(), '', ''), ...gateTarget, port: await freePort() };
    const unreachable = {
      code: 'SSH_UNREACHABLE',
      message: expect.stringContaining(`127.0.0.1:${nobody.port} cannot be reached: through 127.0.0.1: `),
    };
    await expect(connect({ ...nobody, jumps: [gateTarget] })).rejects.toMatchObject(unreachable);
    gate.refuse('tunnels');
    await expect(connect({ ...nobody, jumps: [gateTarget] })).rejects.toMatchObject(unreachable);
    await until('the gate is left', () => gate.open() === 0);
  });
});
