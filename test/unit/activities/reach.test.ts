import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createSecure } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { nodeContext } from '../../../activities/context.ts';
import { whyUnreachable } from '../../../activities/reach.ts';
import { ensureAuthority, ensureServer } from '../../../workers/front/authority.ts';
import { startProxy } from '../payload/registry.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function portOf(server: Server): Promise<number> {
  servers.push(server.listen(0, '127.0.0.1'));
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

const why = (url: string, inherited: Readonly<Record<string, string>> = {}) =>
  whyUnreachable(nodeContext({ id: 'a', root: '/nowhere', scriptPath: '/nowhere/n.js', inherited }), url);

test('any answer is one, and none says why', async () => {
  const port = await portOf(createServer((_request, response) => response.writeHead(500).end()));
  expect(await why(`http://127.0.0.1:${port}/`)).toBeNull();
  servers.pop()?.close();
  expect(await why(`http://127.0.0.1:${port}/`)).toContain('ECONNREFUSED');
});

test('a server whose authority only others know is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'windlass-reach-'));
  try {
    await ensureAuthority(folder);
    await ensureServer(folder, '127.0.0.1');
    const read = (name: string) => readFileSync(join(folder, name));
    const port = await portOf(createSecure({ cert: read('server.crt'), key: read('server.key') }));
    expect(await why(`https://127.0.0.1:${port}/`)).toBeNull();
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('the way leads through the proxy that the machine names', async () => {
  const port = await portOf(createServer((_request, response) => response.end()));
  const proxy = await startProxy();
  try {
    expect(await why(`http://index.invalid:${port}/simple`, { http_proxy: proxy.origin })).toBeNull();
    expect(proxy.asked).toEqual([`index.invalid:${port}`]);
  } finally {
    await proxy.close();
  }
});
