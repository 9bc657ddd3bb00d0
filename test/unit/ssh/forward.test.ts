/** A port of this machine that leads through ssh, and the line under it that comes back. */
import { once } from 'node:events';
import { type Socket, connect as connectTcp } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type SshConnection, connect } from '../../../src/ssh/connection.ts';
import { type Forward, forwardLocal } from '../../../src/ssh/forward.ts';
import { SshLine } from '../../../src/ssh/line.ts';
import { freePort, until } from '../../support/sshd.ts';
import { type SshdInProcess, startSshdInProcess, startTcp } from '../../support/sshd-in-process.ts';

let sshd: SshdInProcess;
let first: SshConnection;
let echo: Awaited<ReturnType<typeof startTcp>>;
let forward: Forward | undefined;
beforeEach(async () => {
  sshd = await startSshdInProcess();
  first = await connect(await sshd.target());
  echo = await startTcp((socket) => socket.pipe(socket));
});
afterEach(async () => {
  await forward?.close();
  first.close();
  await echo.close();
  await sshd.stop();
});

function dial(port: number): Socket {
  const socket = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.on('error', () => undefined);
  return socket;
}

/** What comes back when this is sent and our half is closed. */
async function say(port: number, words: string): Promise<string> {
  const socket = dial(port);
  socket.end(words);
  return text(socket);
}

describe('a forward', () => {
  const open = async (toPort = echo.port): Promise<number> => {
    forward = await forwardLocal(first, { toHost: '127.0.0.1', toPort });
    return forward.port;
  };

  test('carries bytes both ways, many connections at once, and the end of each half by itself', async () => {
    const port = await open();
    const words = ['one', 'two'.repeat(500_000), ''];
    expect(await Promise.all(words.map((word) => say(port, word)))).toEqual(words);
  });

  test('lets the other side speak first and close first', async () => {
    const greeter = await startTcp((socket) => socket.end('hello'));
    expect(await text(dial(await open(greeter.port)))).toBe('hello');
    await greeter.close();
  });

  test('that leads nowhere closes what connects to it, and nothing else', async () => {
    const port = await open(await freePort());
    expect(await say(port, 'anybody?')).toBe('');
    expect(first.isOpen).toBe(true);
    sshd.refuse('tunnels');
    await forward?.close();
    expect(await say(await open(), 'anybody?')).toBe('');
    expect(first.isOpen).toBe(true);
  });

  test('is on loopback only, and gone when it is closed, with its connections on both ends', async () => {
    const port = await open();
    const socket = dial(port);
    socket.write('x');
    await once(socket, 'data');
    const ended = once(socket, 'close');
    await forward?.close();
    socket.end();
    await ended;
    await until('the far end is closed', () => connectionsOf(echo.server).then((count) => count === 0));
    const again = dial(port);
    const [error] = (await once(again, 'error')) as [NodeJS.ErrnoException];
    expect(error.code).toBe('ECONNREFUSED');
  });

  test('closes what goes through it when the connection is cut', async () => {
    const port = await open();
    const socket = dial(port);
    socket.write('x');
    await once(socket, 'data');
    sshd.cut();
    await once(socket, 'end');
    expect(await say(port, 'anybody?')).toBe('');
  });
});

describe('a line', () => {
  let opened: SshConnection[] = [];
  let line: SshLine;
  let isRefused = false;
  beforeEach(async () => {
    opened = [];
    isRefused = false;
    const target = await sshd.target();
    line = new SshLine(first, async () => {
      if (isRefused) throw new Error('not now');
      const connection = await connect(target);
      opened.push(connection);
      return connection;
    });
    forward = await forwardLocal(line, { toHost: '127.0.0.1', toPort: echo.port });
  });
  afterEach(() => {
    line.close();
  });
  const port = (): number => forward?.port ?? 0;
  const cutFirst = async (): Promise<void> => {
    sshd.cut();
    await first.closed;
  };

  test('uses the connection that it was given as long as that lives', async () => {
    expect(await say(port(), 'hello')).toBe('hello');
    expect(opened).toHaveLength(0);
    line.close();
    expect(first.isOpen).toBe(true);
  });

  test('connects again once when the connection was lost, for all who ask', async () => {
    await cutFirst();
    expect(await Promise.all(['a', 'b', 'c'].map((word) => say(port(), word)))).toEqual(['a', 'b', 'c']);
    expect(opened).toHaveLength(1);
    sshd.cut();
    await opened[0]?.closed;
    expect(await say(port(), 'again')).toBe('again');
    expect(opened).toHaveLength(2);
  });

  test('that cannot connect again says why, and tries once more for the next', async () => {
    await cutFirst();
    isRefused = true;
    await expect(line.openTunnel('127.0.0.1', echo.port)).rejects.toThrow('not now');
    expect(await say(port(), 'hello')).toBe('');
    isRefused = false;
    expect(await say(port(), 'hello')).toBe('hello');
  });

  test('a target that refuses is no reason to connect again', async () => {
    await expect(line.openTunnel('127.0.0.1', await freePort())).rejects.toMatchObject({
      code: 'SSH_UNREACHABLE',
      message: expect.stringContaining('through 127.0.0.1'),
    });
    expect(await say(port(), 'hello')).toBe('hello');
    expect(opened).toHaveLength(0);
  });

  test('closes what it opened, also what was only being opened', async () => {
    await cutFirst();
    const tunnel = line.openTunnel('127.0.0.1', echo.port).catch((error: unknown) => error);
    line.close();
    expect(await tunnel).toMatchObject({ code: 'SSH_LOST' });
    await opened[0]?.closed;
    await until('nobody is connected', () => sshd.open() === 0);
  });

  test('that was closed does not come back', async () => {
    await cutFirst();
    line.close();
    await expect(line.openTunnel('127.0.0.1', echo.port)).rejects.toMatchObject({ code: 'SSH_LOST' });
    expect(opened).toHaveLength(0);
  });
});

const connectionsOf = (server: typeof echo.server): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => {
      if (error === null) resolve(count);
      else reject(error);
    });
  });
