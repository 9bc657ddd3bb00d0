import { describe, expect, test } from '@jest/globals';
import type { ApplicationFailure } from '@temporalio/common';
import { z } from 'zod';
import { define } from '../../../activities/define.ts';
import type { ErrorCode } from '../../../src/errors.ts';
import { WindlassError, fail } from '../../../src/errors.ts';
import type { Asked } from './in-activity.ts';
import { inActivity, machine, nodeId } from './in-activity.ts';

const schema = z.object({ node: z.string(), count: z.number() });

/** An act that ends in each of the ways that are given, one after the other. */
function act(...ends: (ErrorCode | Error | 'well')[]): () => Promise<string> {
  return () => {
    const end = ends.shift() ?? 'well';
    if (end === 'well') return Promise.resolve('done');
    return Promise.reject(end instanceof Error ? end : fail(end, { class: 'thor', evidence: 'x' }));
  };
}

const door = (work: () => Promise<string>, input: unknown = { node: nodeId, count: 1 }) =>
  define(machine('/nowhere'), schema, work)(input as { node: string; count: number });

const failure = (work: () => Promise<string>, asked?: Asked, input?: unknown) =>
  inActivity(() => door(work, input), asked).then(
    () => ({ type: 'none', nonRetryable: null }),
    ({ type, nonRetryable }: { type: string; nonRetryable: boolean }) => ({ type, nonRetryable }),
  );

describe('the door', () => {
  test.each([
    ['lets a right input in', { node: nodeId, count: 1 }, 'none'],
    ['refuses another shape', { node: nodeId, count: 'one' }, 'SPEC_INVALID'],
    ['refuses what is for another machine', { node: 'f'.repeat(16), count: 1 }, 'NODE_MISMATCH'],
  ])('%s', async (_what, input, type) => {
    expect((await failure(act(), {}, input)).type).toBe(type);
  });
});

describe('a failure', () => {
  test.each([
    ['of a code that a person must mend is final', 'ARCH_MISMATCH', true],
    ['of the line is tried again', 'INDEX_UNREACHABLE', false],
    ['of the gang is the business of the workflow', 'RAY_FAILED', true],
    ['that is not ours is tried again', new Error('EIO'), false],
  ] as const)('%s', async (_what, end, nonRetryable) => {
    expect(await failure(act(end))).toMatchObject({ nonRetryable });
  });
});

describe('a failure with megabytes of evidence', () => {
  const flood = 'x'.repeat(5 * 1024 * 1024);

  test.each([
    ['of ours', fail('WHEELS_FAILED', { class: 'thor', evidence: flood, log: '/runs/log' })],
    ['that is not ours', new Error(flood)],
  ])('%s stays small in the history', async (_what, error) => {
    const failed = (await inActivity(() => door(() => Promise.reject(error))).catch(
      (thrown: unknown) => thrown,
    )) as ApplicationFailure;
    expect(failed.message.length).toBeLessThanOrEqual(1500);
    expect(JSON.stringify(failed.details ?? []).length).toBeLessThanOrEqual(4200);
    expect(failed.type).toBe(error instanceof WindlassError ? 'WHEELS_FAILED' : 'INTERNAL');
  });
});

describe('a code of a few tries', () => {
  const finals = async (asked: Asked, times: number) => {
    const found: (boolean | null)[] = [];
    for (let at = 0; at < times; at += 1) {
      found.push((await failure(act('WHEELS_FAILED'), { ...asked, attempt: 50 + at })).nonRetryable);
    }
    return found;
  };

  test('is final at the fourth failure, however many attempts the deaths of node workers used up', async () => {
    expect(await finals({ runId: 'deaths' }, 4)).toEqual([false, false, false, true]);
  });

  test('is counted for each act and each run', async () => {
    expect(await finals({ runId: 'one', activityId: 'a' }, 3)).toEqual([false, false, false]);
    expect(await finals({ runId: 'one', activityId: 'b' }, 1)).toEqual([false]);
    expect(await finals({ runId: 'two', activityId: 'a' }, 1)).toEqual([false]);
    expect(await finals({ runId: 'one', activityId: 'a' }, 1)).toEqual([true]);
  });

  test('begins anew once the act ended well', async () => {
    const asked = { runId: 'mended' };
    await finals(asked, 3);
    expect((await failure(act('well'), asked)).type).toBe('none');
    expect(await finals(asked, 1)).toEqual([false]);
  });
});
