// The stand-in index as a client sees it: pages in both forms, ranges, faults that a test acts on, and the relay.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type PackageIndex, startIndex } from '../../standin/index-server.ts';

const wheel = Buffer.from('0123456789'.repeat(100));
const sha256 = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');
const name = 'torch-2.13.0-py3-none-any.whl';

let folder: string;
let index: PackageIndex;
let upstream: Server;
let asked: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-index-'));
  await mkdir(join(folder, 'wheels/sm120'), { recursive: true });
  await writeFile(join(folder, 'wheels/sm120', name), wheel);
  await writeFile(join(folder, 'wheels/sm120', `${name}.metadata`), 'Name: torch\n');
  asked = [];
  upstream = createServer((request, response) => {
    asked.push(request.url ?? '');
    if (request.url === '/simple/six/') {
      response.setHeader('Content-Type', 'text/html');
      response.end(
        `<a href="/f/six-1.0-py3-none-any.whl#sha256=${sha256(wheel)}" data-requires-python="&gt;=3.8">six-1.0-py3-none-any.whl</a>`,
      );
    } else if (request.url === '/f/six-1.0-py3-none-any.whl') {
      response.end(wheel);
    } else {
      response.writeHead(404).end();
    }
  }).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  index = await open();
});

afterEach(async () => {
  await index.close();
  upstream.close();
  await rm(folder, { recursive: true });
});

async function open(): Promise<PackageIndex> {
  const address = upstream.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  return startIndex({
    port: 0,
    wheelsDir: join(folder, 'wheels'),
    cacheDir: join(folder, 'relay'),
    registry: `http://127.0.0.1:${port}/simple`,
  });
}

const file = (): string => `${index.url}/sm120/files/${name}`;

describe('the stand-in index', () => {
  test('describes a stand-in wheel in JSON and in HTML', async () => {
    const json = await fetch(`${index.root('sm120')}torch/`, {
      headers: { Accept: 'application/vnd.pypi.simple.v1+json' },
    });
    expect(await json.json()).toMatchObject({
      name: 'torch',
      files: [{ filename: name, hashes: { sha256: sha256(wheel) }, size: 1000 }],
    });
    const html = await (await fetch(`${index.root('sm120')}torch/`)).text();
    expect(html).toContain(`<a href="/sm120/files/${name}#sha256=${sha256(wheel)}"`);
  });

  test('answers ranges', async () => {
    const part = await fetch(file(), { headers: { Range: 'bytes=5-9' } });
    expect([part.status, await part.text()]).toEqual([206, '56789']);
    const end = await fetch(file(), { headers: { Range: 'bytes=-3' } });
    expect([end.headers.get('content-range'), await end.text()]).toEqual(['bytes 997-999/1000', '789']);
    expect((await fetch(file(), { headers: { Range: 'bytes=1000-' } })).status).toBe(416);
  });

  test('holds a body in its middle until it is released', async () => {
    const hold = index.traffic.hold(/torch/, 400);
    const response = await fetch(file());
    expect(await hold.reached).toContain(name);
    expect(index.traffic.requests().at(-1)).toMatchObject({ bytes: 400 });
    hold.release();
    expect(Buffer.from(await response.arrayBuffer())).toEqual(wheel);
  });

  test('fails as often as it is told to', async () => {
    index.traffic.failNext(1);
    expect((await fetch(file())).status).toBe(503);
    expect((await fetch(file())).status).toBe(200);
    index.traffic.failNext(1, /[.]none$/);
    expect((await fetch(file())).status).toBe(200);
    expect(index.traffic.requests().map(({ status }) => status)).toEqual([503, 200, 200]);
  });

  test('sends no faster than it is told to', async () => {
    index.traffic.delayBytesPerSecond = 5000;
    const began = performance.now();
    await (await fetch(file())).arrayBuffer();
    expect(performance.now() - began).toBeGreaterThan(150);
  });

  test('relays other projects, and remembers them when the registry is gone', async () => {
    const page = await (await fetch(`${index.root('sm120')}six/`)).text();
    expect(page).toContain('data-requires-python="&gt;=3.8"');
    const [, path = ''] = /href="([^"#]+)/.exec(page) ?? [];
    expect(path).toBe(`/relay/files/six/${sha256(wheel)}/six-1.0-py3-none-any.whl`);
    expect(Buffer.from(await (await fetch(index.url + path)).arrayBuffer())).toEqual(wheel);
    expect(asked).toEqual(['/simple/six/', '/f/six-1.0-py3-none-any.whl']);
    await index.close();
    index = await open();
    upstream.close();
    expect(Buffer.from(await (await fetch(index.url + path)).arrayBuffer())).toEqual(wheel);
    expect(asked).toHaveLength(2);
  });

  test('knows no project that the registry does not know', async () => {
    expect((await fetch(`${index.root('pypi')}nothing/`)).status).toBe(404);
  });
});
