/** What a benchmark reads out of the histories of a keeper and of its repair. */
import { expect, test } from '@jest/globals';
import { byFault } from '../../../bench/repair/samples.ts';
import { readRepair, runsBegunBy } from '../../../bench/repair/serving.ts';
import type { StoredEvent } from '../../../test/faults/judge/histories.ts';

const at = Date.parse('2026-11-28T10:00:00.000Z');
const event = (eventId: string, afterMs: number, eventType: string, more: object = {}): StoredEvent => ({
  eventId,
  eventTime: new Date(at + afterMs).toISOString(),
  eventType: `EVENT_TYPE_${eventType}`,
  ...more,
});
const scheduled = (eventId: string, activityId: string): StoredEvent =>
  event(eventId, 300, 'ACTIVITY_TASK_SCHEDULED', { activityTaskScheduledEventAttributes: { activityId } });
const started = (eventId: string, afterMs: number, scheduledEventId: string): StoredEvent =>
  event(eventId, afterMs, 'ACTIVITY_TASK_STARTED', {
    activityTaskStartedEventAttributes: { scheduledEventId },
  });

const repair = [
  scheduled('1', 'observe@spark'),
  started('2', 350, '1'),
  scheduled('3', 'stop@spark'),
  scheduled('4', 'stop@thor'),
  started('5', 900, '4'),
  started('6', 700, '3'),
  event('7', 8_000, 'WORKFLOW_EXECUTION_COMPLETED'),
];

test('a loss is noticed by the first watch that ends after it, and resumed by the first act, not the first look', () => {
  const keeper = [
    event('1', -60_000, 'ACTIVITY_TASK_FAILED'),
    event('2', 50, 'ACTIVITY_TASK_STARTED'),
    event('3', 200, 'ACTIVITY_TASK_FAILED'),
    event('4', 260, 'ACTIVITY_TASK_FAILED'),
  ];
  expect(readRepair('rank killed', at, keeper, [repair])).toEqual({
    fault: 'rank killed',
    noticedMs: 200,
    resumedMs: 500,
    servesMs: 8_000,
  });
});

test('histories without a loss or without an act of a repair give no figures', () => {
  expect(() => readRepair('rank killed', at, [], [repair])).toThrow('no repair stands in the histories');
  const loss = [event('3', 200, 'ACTIVITY_TASK_TIMED_OUT')];
  expect(() => readRepair('rank killed', at, loss, [repair.slice(0, 2)])).toThrow('rank killed: no repair');
});

test('what hangs is torn down first: the repair begins with that run, and ends with the next', () => {
  const hung = [event('8', 180_000, 'ACTIVITY_TASK_FAILED')];
  const tearDown = [scheduled('1', 'stop@spark'), started('2', 180_600, '1')];
  const bringUp = [
    scheduled('1', 'launch-server@spark'),
    started('2', 190_000, '1'),
    event('3', 200_000, 'WORKFLOW_EXECUTION_COMPLETED'),
  ];
  expect(readRepair('hang', at, hung, [tearDown, bringUp])).toEqual({
    fault: 'hang',
    noticedMs: 180_000,
    resumedMs: 600,
    servesMs: 200_000,
  });
});

test('the repair of a loss are the runs that the keeper has begun since', () => {
  const begun = (eventId: string, afterMs: number, runId: string): StoredEvent =>
    event(eventId, afterMs, 'CHILD_WORKFLOW_EXECUTION_STARTED', {
      childWorkflowExecutionStartedEventAttributes: { workflowExecution: { runId } },
    });
  const keeper = [begun('1', -60_000, 'before'), begun('2', 400, 'repair'), begun('3', 9_000, 'after')];
  expect(runsBegunBy(keeper, at)).toEqual(['repair', 'after']);
  expect(() => runsBegunBy(keeper.slice(0, 1), at)).toThrow('the keeper has begun no repair');
});

test('figures are made of each kind of fault by itself', () => {
  const sample = { fault: 'cut', noticedMs: 100, resumedMs: null, servesMs: null };
  const figures = byFault([sample, { ...sample, noticedMs: 300 }, { ...sample, fault: 'killed' }]);
  expect(figures['cut']).toEqual({
    noticedMs: { count: 2, p50: 200, p99: 298 },
    resumedMs: null,
    servesMs: null,
  });
  expect(figures['killed']?.noticedMs?.count).toBe(1);
});
