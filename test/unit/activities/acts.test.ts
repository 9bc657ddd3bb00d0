import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Act } from '../../../activities/acts.ts';
import { runFolder, startAct, watchAct } from '../../../activities/acts.ts';
import { until } from '../../lab/run.ts';
import { noUnits, standInSystemctl } from '../../support/systemctl.ts';
import { inActivity, machine, run } from './in-activity.ts';

const say = standInSystemctl();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'windlass-acts-'));
});
afterAll(async () => {
  await rm(root, { recursive: true });
});

const act = (isDone: Act['isDone']): Act => ({
  unit: 'windlass-model-0000000000000000',
  generation: 'run-1',
  step: 'stage model',
  run,
  file: '/bin/true',
  args: [],
  env: {},
  options: { description: 'test', stopSeconds: 1 },
  isDone,
});

test('a unit whose work is done when it has just ended is not started again, and its result stays', async () => {
  const context = machine(root);
  const folder = runFolder(context, act(() => Promise.resolve(true)).unit);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'result.json'), '{}');
  await writeFile(join(folder, 'log'), 'done');
  const started = await inActivity(() =>
    startAct(
      context,
      act(() => Promise.resolve(true)),
    ),
  );
  expect(started).toBe(false);
  expect(await readFile(join(folder, 'result.json'), 'utf8')).toBe('{}');
  expect(await readFile(join(folder, 'log'), 'utf8')).toBe('done');
});

test('an act that takes long to say how far it is gives signs of life all the same', async () => {
  say("printf 'ActiveState=active\\n'");
  const context = machine(root);
  const unit = 'windlass-venv-0000000000000000';
  const ended = { exitCode: 0, signal: null, startedAt: 1, endedAt: 2 };
  await mkdir(runFolder(context, unit), { recursive: true });
  const heartbeats: unknown[] = [];
  const measuring = new Promise<never>(() => undefined);
  const watching = inActivity(() => watchAct(context, unit, () => measuring, 1_000), { heartbeats });
  await until('it has given two', () => heartbeats.length >= 2);
  await writeFile(join(runFolder(context, unit), 'result.json'), JSON.stringify(ended));
  expect(await watching).toEqual(ended);
  say(noUnits);
  expect(heartbeats[0]).toEqual({ v: 1 });
});

test('an end that is an error is told instead of a start', async () => {
  const ended = new Error('it has ended');
  await expect(
    inActivity(() =>
      startAct(
        machine(root),
        act(() => Promise.reject(ended)),
      ),
    ),
  ).rejects.toBe(ended);
});
