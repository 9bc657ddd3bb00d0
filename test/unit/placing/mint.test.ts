/** A machine gets its id once, whoever asks, and after a power cut, too. The real script runs here. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import type { LookedNode } from '../../../src/placing/look.ts';
import type { PlacingOptions } from '../../../src/placing/place.ts';
import { placeCluster } from '../../../src/placing/place.ts';
import { readScript } from '../../../src/placing/script-files.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'windlass-mint-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const mint = async (id: string): Promise<unknown> => {
  const { stdout } = await execa('sh', ['-s', '--', root, id, '7'], { input: await readScript('mint') });
  return JSON.parse(stdout);
};
const [first, second] = ['00000000000000aa', '00000000000000bb'] as const;

test('the first id holds, and leaves one file', async () => {
  expect(await mint(first)).toEqual({ id: first, mintedAt: 7 });
  expect(await mint(second)).toEqual({ id: first, mintedAt: 7 });
  expect(await readdir(root)).toEqual(['node.json']);
});

test('a file that has lost what it held is made anew', async () => {
  await writeFile(join(root, 'node.json'), '');
  expect(await mint(second)).toEqual({ id: second, mintedAt: 7 });
  expect(JSON.parse(await readFile(join(root, 'node.json'), 'utf8'))).toEqual({ id: second, mintedAt: 7 });
});

test('two nodes that bear one id are not placed: a certificate would go to both', async () => {
  const node = (name: string, id: string) => ({ entry: { name }, look: { id } }) as unknown as LookedNode;
  const done: string[] = [];
  const options = {
    file: { head: 'a' },
    secrets: new Map(),
    payloadFor: () => Promise.reject(new Error('a payload is made')),
    note: (...said: string[]) => done.push(...said),
    onBytes: () => undefined,
  } as unknown as PlacingOptions;
  await expect(
    placeCluster([node('a', first), node('b', second), node('c', first)], options),
  ).rejects.toMatchObject({ code: 'ID_TWICE', data: { id: first, nodes: 'a, c' } });
  expect(done).toEqual([]);
});
