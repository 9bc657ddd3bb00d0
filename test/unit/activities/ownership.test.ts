import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { NodeContext } from '../../../activities/context.ts';
import { holdNode, readOwner } from '../../../activities/ownership.ts';
import { machine, nodeId, run } from './in-activity.ts';

let folder: string;
let context: NodeContext;
const other = { cluster: 'other', home: '00000000000000bb' };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-owner-'));
  context = machine(folder);
  await mkdir(dirname(context.layout.owner), { recursive: true });
  // Its last run is newer than ours: fences order the runs of one cluster only.
  const fence = { startedAt: 9, run: 'run-9' };
  await writeFile(context.layout.owner, JSON.stringify({ ...other, fence }));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a node of another cluster is refused', async () => {
  await expect(holdNode(context, run)).rejects.toMatchObject({ code: 'NODE_OWNED' });
  expect(await readOwner(context)).toMatchObject(other);
});

test('one that a person gave to the run is taken', async () => {
  await holdNode(context, { ...run, replaces: [{ node: nodeId, ...other }] });
  expect(await readOwner(context)).toEqual(run);
});

test.each([
  ['another node', { node: '00000000000000cc', ...other }],
  ['another owner than the one it has now', { node: nodeId, ...other, cluster: 'third' }],
  ['another home than the one it has now', { node: nodeId, ...other, home: '00000000000000cc' }],
])('what was given is %s', async (_what, given) => {
  const asked = { ...run, replaces: [given] };
  await expect(holdNode(context, asked)).rejects.toMatchObject({ code: 'NODE_OWNED' });
});

test('a run of a time that is still to come, by a clock that was ahead, keeps nobody out', async () => {
  const fence = { startedAt: Date.now() + 86_400_000, run: 'run-9' };
  await writeFile(context.layout.owner, JSON.stringify({ ...run, fence }));
  await holdNode(context, run);
  expect(await readOwner(context)).toEqual(run);
});

test('on a node whose own clock is behind, the order of two runs holds all the same', async () => {
  const soon = Date.now() + 86_400_000;
  const newer = { ...run, fence: { startedAt: soon + 1, run: 'run-9' } };
  await writeFile(context.layout.owner, JSON.stringify(newer));
  const older = { ...run, fence: { startedAt: soon, run: 'run-8' } };
  await expect(holdNode(context, older)).rejects.toMatchObject({ code: 'FENCED' });
  expect(await readOwner(context)).toEqual(newer);
});

describe('of one cluster', () => {
  const own = ({ startedAt, run: id }: { startedAt: number; run: string }) => ({
    ...run,
    fence: { startedAt, run: id },
  });
  const newer = own({ startedAt: 2, run: 'run-2' });

  test('a run that began before the one that acted last may change nothing any more', async () => {
    await writeFile(context.layout.owner, JSON.stringify(newer));
    await expect(holdNode(context, run)).rejects.toMatchObject({ code: 'FENCED' });
    expect(await readOwner(context)).toEqual(newer);
  });

  test('the newer one takes its place, and of two that began at once the same one wins everywhere', async () => {
    await writeFile(context.layout.owner, JSON.stringify(run));
    await holdNode(context, newer);
    expect(await readOwner(context)).toEqual(newer);
    await expect(holdNode(context, own({ startedAt: 2, run: 'run-1' }))).rejects.toMatchObject({
      code: 'FENCED',
    });
    await holdNode(context, own({ startedAt: 2, run: 'run-3' }));
  });

  test('whom a damaged file named is not guessed', async () => {
    await writeFile(context.layout.owner, '{"cluster":');
    await expect(holdNode(context, run)).rejects.toMatchObject({ code: 'FACT_UNREADABLE' });
  });
});
