/** A machine gets its id once, whoever asks, and after a power cut, too. The real script runs here. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { execa } from 'execa';
import { demandOneIdEach } from '../../../src/placing/place.ts';
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

test('two nodes that bear one id are not placed: a certificate would go to both', () => {
  const node = (name: string, id: string) => ({ entry: { name }, id });
  expect(() => {
    demandOneIdEach([node('a', first), node('b', second)]);
  }).not.toThrow();
  expect(() => {
    demandOneIdEach([node('a', first), node('b', second), node('c', first)]);
  }).toThrow(`a, c bear the same id (${first}), and nothing was placed`);
});
