import { spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { fetchFile, type Wanted } from '../../../src/placing/download/fetch-file.ts';
import { parseAddress } from '../../../src/placing/download/request.ts';
import { type Registry, type Served, startRegistry } from './registry.ts';

let folder: string;
let registry: Registry;
const content = randomBytes(300_000);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-fetch-'));
  registry = await startRegistry();
});

afterEach(async () => {
  await registry.close();
  await rm(folder, { recursive: true, force: true });
});

const target = (): string => join(folder, 'file');

function wanted(served: Served, pinned: Buffer = content): Wanted {
  registry.serve('/file', served);
  return {
    what: 'the file',
    address: parseAddress(`${registry.origin}/file`),
    digest: { algorithm: 'sha256', hex: createHash('sha256').update(pinned).digest('hex') },
  };
}

const ranges = (): (string | undefined)[] => registry.requests.map(({ range }) => range);

// Jest compares buffers byte by byte, which takes seconds.
const expectContent = async (): Promise<void> => {
  expect((await readFile(target())).equals(content)).toBe(true);
};

/** The id of a process that is gone. */
const gonePid = (): number => spawnSync('true').pid;

describe('fetchFile', () => {
  it('brings the file', async () => {
    await fetchFile(target(), wanted({ body: content }));
    await expectContent();
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('accepts the hash as npm writes it', async () => {
    const base64 = createHash('sha512').update(content).digest('base64');
    const digest = { algorithm: 'sha512', base64 } as const;
    await fetchFile(target(), { ...wanted({ body: content }), digest });
    await expectContent();
  });

  it('refuses another content and leaves nothing of it', async () => {
    const changed = Buffer.from(content);
    changed[100] = (changed[100] ?? 0) ^ 1;
    await expect(fetchFile(target(), wanted({ body: changed }))).rejects.toMatchObject({
      code: 'DOWNLOAD_HASH',
    });
    expect(await readdir(folder)).toEqual([]);
  });

  it('goes on where a broken connection stopped', async () => {
    await fetchFile(target(), wanted({ body: content, breakAfter: 100_000, breaks: 2 }));
    await expectContent();
    expect(registry.requests).toHaveLength(3);
    expect(ranges()[0]).toBeUndefined();
    expect(ranges()[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('gives up when a try brings nothing, and keeps what came before for the next', async () => {
    const file = wanted({ body: content, breakAfter: 100_000, breaks: 1 });
    await fetchFile(target(), wanted({ body: content, breakAfter: 0, breaks: 1 })).catch(() => undefined);
    await expect(
      fetchFile(target(), wanted({ body: content, breakAfter: 0, breaks: 1 })),
    ).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      data: { what: 'the file', from: `${registry.origin}/file` },
    });
    await fetchFile(target(), file);
    await expectContent();
  });

  it('takes over what a process that is gone has left', async () => {
    await writeFile(`${target()}.${gonePid()}.part`, content.subarray(0, 200_000));
    await fetchFile(target(), wanted({ body: content }));
    expect(ranges()).toEqual(['bytes=200000-']);
    await expectContent();
    expect(await readdir(folder)).toEqual(['file']);
  });

  it('leaves alone what a running process is fetching', async () => {
    const other = `${target()}.${process.ppid}.part`;
    await writeFile(other, 'theirs');
    await fetchFile(target(), wanted({ body: content }));
    expect(await readFile(other, 'utf8')).toBe('theirs');
    expect(ranges()).toEqual([undefined]);
  });

  it.each([
    ['that is of another file', Buffer.alloc(200_000, 1)],
    ['that is longer than the file', Buffer.alloc(400_000, 1)],
  ])('starts again from a rest %s', async (_what, rest) => {
    await writeFile(`${target()}.${gonePid()}.part`, rest);
    await fetchFile(target(), wanted({ body: content }));
    await expectContent();
    expect(ranges().at(-1)).toBeUndefined();
  });

  it('copes with a registry that sends the whole file again', async () => {
    await writeFile(`${target()}.${gonePid()}.part`, content.subarray(0, 200_000));
    await fetchFile(target(), wanted({ body: content, ignoresRange: true }));
    await expectContent();
    expect(registry.requests).toHaveLength(1);
  });

  it('names the address without its password when the file is not there', async () => {
    const file = wanted({ body: content });
    const address = parseAddress(`${registry.origin.replace('//', '//user:hidden@')}/none`);
    const failure = fetchFile(target(), { ...file, address });
    await expect(failure).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      data: { from: `${registry.origin}/none`, reason: 'HTTP 404' },
    });
    await expect(failure).rejects.not.toThrow(/hidden/);
    expect(registry.requests[0]?.authorization).toBe(
      `Basic ${Buffer.from('user:hidden').toString('base64')}`,
    );
  });

  it('says why a registry cannot be reached', async () => {
    const file = wanted({ body: content });
    await registry.close();
    await expect(fetchFile(target(), file)).rejects.toMatchObject({
      code: 'DOWNLOAD_FAILED',
      data: { reason: 'ECONNREFUSED' },
    });
    registry = await startRegistry();
  });
});
