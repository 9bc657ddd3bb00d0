import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, Socket } from 'node:net';
import { afterEach, describe, expect, test } from '@jest/globals';
import { parseTable, readListening } from '../../../activities/listening.ts';

const servers: Server[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => new Promise((done) => server.close(done))));
});

/** Listen on a free port of an address. */
async function listen(address: string): Promise<number> {
  const server = createServer().listen(0, address);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const foundAt = async (address: string, port: number) =>
  (await readListening([{ address, port }])).map((each) => each.pid);

describe('a listener', () => {
  test.each([
    ['127.0.0.1', '127.0.0.1', true],
    ['127.0.0.1', '127.0.0.2', false],
    ['127.0.0.1', '0.0.0.0', true],
    ['0.0.0.0', '127.0.0.2', true],
    ['::', '127.0.0.1', true],
    ['::1', '0:0:0:0:0:0:0:1', true],
    ['::1', '127.0.0.1', false],
    ['::ffff:127.0.0.1', '127.0.0.1', true],
  ])('on %s is in the way of one on %s: %s', async (held, wanted, isInTheWay) => {
    const port = await listen(held);
    expect(await foundAt(wanted, port)).toEqual(isInTheWay ? [process.pid] : []);
  });

  test('is told with its process and command', async () => {
    const port = await listen('127.0.0.1');
    const [found] = await readListening([{ address: '127.0.0.1', port }]);
    expect(found).toMatchObject({ port, pid: process.pid, uid: process.getuid?.() });
    expect(found?.command).toMatch(/node/);
  });

  test('is none once it has closed, though a connection of it lingers', async () => {
    const port = await listen('127.0.0.1');
    const [server] = servers;
    const client = new Socket().connect(port, '127.0.0.1');
    const [accepted] = (await once(server ?? client, 'connection')) as [Socket];
    // Who closes first keeps the port in TIME_WAIT.
    accepted.end();
    client.resume();
    await once(client, 'close');
    server?.close();
    expect(await foundAt('127.0.0.1', port)).toEqual([]);
  });
});

test('a table of the kernel is read as it stands', () => {
  const lines = [
    '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode',
    '   0: 1900000A:1388 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0 100',
    '   1: 1900000A:1389 1600000A:D431 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0 100',
    '   2: B80D01200000000000000000020000FF:0050 0:0 0A 0:0 00:0 0   112        0 4713 1 0 100',
    '',
  ];
  expect(parseTable(lines.join('\n'))).toEqual([
    { address: '10.0.0.25', port: 5000, uid: 1000, inode: '4711' },
    { address: '2001:db8:0:0:0:0:ff00:2', port: 80, uid: 112, inode: '4713' },
  ]);
});
