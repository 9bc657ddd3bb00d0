/** What a benchmark reads out of a history: an activity that changed a node must not pass for one that only looked. */
import { expect, test } from '@jest/globals';
import type { HistoryEvent } from '../../../bench/history.ts';
import { summarize } from '../../../bench/history.ts';

const scheduled = (name: string): HistoryEvent => ({
  eventType: 'EVENT_TYPE_ACTIVITY_TASK_SCHEDULED',
  activityTaskScheduledEventAttributes: { activityType: { name } },
});
const completed = (answer: unknown): HistoryEvent => ({
  eventType: 'EVENT_TYPE_ACTIVITY_TASK_COMPLETED',
  activityTaskCompletedEventAttributes: {
    result: { payloads: [{ data: Buffer.from(JSON.stringify(answer)).toString('base64') }] },
  },
});

test('looks are counted and change nothing', () => {
  const looks = [
    scheduled('observeNode'),
    scheduled('observeNode'),
    completed({ changed: false, facts: {} }),
  ];
  expect(summarize(looks)).toEqual({ events: 3, activities: { observeNode: 2 }, changing: 0, children: 0 });
});

test('an answer that says "changed" and a child run are seen', () => {
  const acts = [
    scheduled('ensureRay'),
    completed({ changed: true, what: 'started' }),
    { eventType: 'EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED' },
  ];
  expect(summarize(acts)).toEqual({ events: 3, activities: { ensureRay: 1 }, changing: 1, children: 1 });
});
