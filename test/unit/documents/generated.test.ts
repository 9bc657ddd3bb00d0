/** The reference pages are what schema, code table and fault tables say. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect, jest, test } from '@jest/globals';
import { codes } from '../../../src/errors.ts';

// The code is compiled first, which a loaded machine takes its time for.
jest.setTimeout(60_000);

test('the pages that are written from code are as `node scripts/docs.mjs` writes them', async () => {
  const { stderr } = await promisify(execFile)('node', ['scripts/docs.mjs', '--check']);
  expect(stderr).toBe('');
});

test('every error has its row', () => {
  const page = readFileSync('docs/errors.md', 'utf8');
  expect(Object.keys(codes).filter((code) => !page.includes(`| \`${code}\` `))).toEqual([]);
  expect(page).not.toContain('undefined');
});

test('every file that the page of faults names is there', () => {
  const named = [...readFileSync('docs/faults.md', 'utf8').matchAll(/`([a-z-]+\/[^` ]+\.ts)`/g)];
  expect(named.length).toBeGreaterThan(20);
  expect(named.flatMap(([, path = '']) => (existsSync(path) ? [] : [path]))).toEqual([]);
});
