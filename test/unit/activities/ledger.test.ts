import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { recordChange } from '../../../activities/ledger.ts';
import { machine, run } from './in-activity.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'windlass-ledger-'));
});
afterEach(async () => {
  await rm(root, { recursive: true });
});

const lines = async () =>
  (await readFile(join(root, 'ledger.jsonl'), 'utf8'))
    .split('\n')
    .map((line): unknown => (line === '' ? null : JSON.parse(line)));

test('each change is one line: when, which run, which step, what', async () => {
  const before = Date.now();
  await recordChange(machine(root), run, 'stop', 'stopped', { unit: 'windlass-ray-0123456789abcdef' });
  await recordChange(machine(root), run, 'stop', 'a text\nof two lines');
  const [first, second, end] = await lines();
  expect(first).toEqual({
    at: expect.any(Number),
    run: 'run-1',
    step: 'stop',
    what: 'stopped',
    unit: 'windlass-ray-0123456789abcdef',
  });
  expect((first as { at: number }).at).toBeGreaterThanOrEqual(before);
  expect(second).toMatchObject({ what: 'a text\nof two lines' });
  expect(end).toBeNull();
});

test('lines that are written at once do not mix', async () => {
  const wanted = Array.from({ length: 40 }, (_none, at) => `${at} ${'x'.repeat(2_000)}`);
  await Promise.all(wanted.map((what) => recordChange(machine(root), run, 'stop', what)));
  const found = (await lines()).flatMap((line) => (line === null ? [] : [(line as { what: string }).what]));
  expect(found.toSorted()).toEqual(wanted.toSorted());
});

test('a change that cannot be noted is an error, not a change without a line', async () => {
  await expect(recordChange(machine(join(root, 'gone')), run, 'stop', 'stopped')).rejects.toMatchObject({
    code: 'UPLOAD',
  });
});
