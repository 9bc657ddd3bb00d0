import { expect, test } from '@jest/globals';
import { twoAtOnce } from '../../faults/judge/one-gang.ts';
import type { Sample } from '../../faults/samples.ts';

const engine = '/envs/x/bin/python -m sglang.launch_server --model-path /m';
const seen = (at: number, pid: number, more: Partial<Sample> = {}): Sample => ({
  at,
  host: 'spark-ea8e',
  pid,
  start: pid,
  parent: 1,
  command: engine,
  ...more,
});
const ended = (at: number, pid: number): Sample => ({ at, host: 'spark-ea8e', pid, start: pid, ended: true });

test('one engine after another is one at a time', () => {
  expect(twoAtOnce([seen(0, 10), ended(5, 10), seen(6, 11)], 0)).toEqual([]);
});

test('a second engine beside the first is seen', () => {
  expect(twoAtOnce([seen(0, 10), seen(6, 11)], 0)).toEqual([
    'I1: spark-ea8e ran 2 × engine at 1970-01-01T00:00:00.006Z: 10/10, 11/11',
  ]);
});

test('what an engine forks bears its command line and is no second one', () => {
  expect(twoAtOnce([seen(0, 10), seen(6, 11, { parent: 10 })], 0)).toEqual([]);
});

test('an engine on another host is no second one, nor what was before the case', () => {
  expect(twoAtOnce([seen(0, 10), seen(6, 11, { host: 'jetson-thor' })], 0)).toEqual([]);
  expect(twoAtOnce([seen(0, 10), seen(6, 11)], 7)).toEqual([]);
});
