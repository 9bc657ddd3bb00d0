/** What B9 reads out of a history: from when to when a run stood still. */
import { expect, test } from '@jest/globals';
import { stallAfter } from '../../../bench/deaths/stall.ts';
import type { StoredEvent } from '../../../test/faults/judge/histories.ts';

const killed = Date.parse('2026-11-29T10:00:00.000Z');
const task = (what: string, afterMs: number): StoredEvent => ({
  eventId: '1',
  eventTime: new Date(killed + afterMs).toISOString(),
  eventType: `EVENT_TYPE_WORKFLOW_TASK_${what}`,
});
const done = [task('SCHEDULED', -900), task('STARTED', -890), task('COMPLETED', -880)];
const after = (readyMs: number, resumedMs: number) => ({
  readyAt: killed + readyMs,
  resumedAt: killed + resumedMs,
});

test('a run that waited for acts stands still from its next task on', () => {
  const next = [task('SCHEDULED', 400), task('STARTED', 1_300), task('COMPLETED', 1_320)];
  const later = [task('SCHEDULED', 2_000), task('STARTED', 2_001), task('COMPLETED', 2_002)];
  expect(stallAfter([...done, ...next, ...later], killed)).toEqual(after(400, 1_320));
});

test('a task that the dead had begun counts from its first scheduling', () => {
  const given = [task('SCHEDULED', -20), task('STARTED', -10), task('TIMED_OUT', 9_990)];
  const again = [task('SCHEDULED', 9_990), task('STARTED', 9_995), task('COMPLETED', 10_000)];
  expect(stallAfter([...done, ...given, ...again], killed)).toEqual(after(-20, 10_000));
});

test('a task completed after the death and begun before it is the dead one’s own', () => {
  const own = [task('SCHEDULED', -3), task('STARTED', -1), task('COMPLETED', 1)];
  const next = [task('SCHEDULED', 5), task('STARTED', 900), task('COMPLETED', 950)];
  expect(stallAfter([...own, ...next], killed)).toEqual(after(5, 950));
});

test('a run that was over before the death has no stall', () => {
  expect(stallAfter(done, killed)).toBeNull();
  expect(stallAfter([], killed)).toBeNull();
});
