import { describe, expect, test } from '@jest/globals';
import { isIdle, pauseMs, waitingForOf, wantOf } from '../../../src/cluster/waits.ts';

const minute = 60_000;
const week = 7 * 24 * 60 * minute;

/** The pauses of a run that waits for a week. */
function pauses(leastMs: number): number[] {
  const all: number[] = [];
  for (let waited = 0; waited < week;) {
    const pause = pauseMs(waited, leastMs);
    all.push(pause);
    waited += pause;
  }
  return all;
}

describe('the rhythm of looks without a person', () => {
  test.each([
    ['a failed act', 10 * minute],
    ['a silent node', minute],
  ])('of %s begins as said, never gets quicker, and ends at twelve hours', (_what, least) => {
    const all = pauses(least);
    expect(all.slice(0, 2)).toEqual([least, least]);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
    expect(all.at(-1)).toBe(720 * minute);
  });

  test('takes few looks for a week', () => {
    expect(pauses(10 * minute).length).toBeLessThan(30);
    expect(pauses(minute).length).toBeLessThan(40);
  });

  test('keeps the history of a week of waiting below 2,000 events', () => {
    // The most that one look takes: a timer, four nodes observed, and a workflow task for each of their answers.
    const eventsOfALook = 2 + 3 + 4 * (3 + 3);
    expect(pauses(10 * minute).length * eventsOfALook).toBeLessThan(2_000);
    // A look at a silent node: its task, the time-out of that, a timer, and a workflow task for both.
    expect(pauses(minute).length * (2 + 2 + 6)).toBeLessThan(1_000);
  });
});

describe('what a run waits for', () => {
  const wait = (node: string, since: number, approval: string | null = null) => ({
    node,
    step: 'start head',
    code: 'PORT_TAKEN' as const,
    since,
    what: wantOf('PORT_TAKEN', { port: 6380, by: 'nc (pid 1)' }, `${node} · start head`),
    approval,
  });

  test('is nothing when nothing waits', () => {
    expect(waitingForOf([])).toBeNull();
  });

  test('says what happened, what to do and how to answer', () => {
    expect(waitingForOf([wait('thorx', 5)])).toMatchObject({ node: 'thorx', since: 5 });
    expect(waitingForOf([wait('thorx', 5)])?.what).toMatchInlineSnapshot(`
     "thorx · start head: TCP 6380 is held by nc (pid 1), which windlass did not start (PORT_TAKEN)
       Stop it; or end the run and choose another port in the cluster file.
       windlass retry FILE thorx: look again now (signal retryNode)
       windlass approve FILE thorx: of no use here (signal approve)
       windlass cancel FILE: end the run (signal cancel)"
    `);
  });

  test('is waited for by nobody while all of it is being looked at again', () => {
    const looked = { ...wait('thorx', 5), isLookedAt: true as const };
    const idle = (...waits: Parameters<typeof waitingForOf>[0]) =>
      isIdle(waitingForOf(waits) ?? { node: '', since: 0, what: '', all: [] });
    expect([idle(looked), idle(looked, wait('spark-1', 3)), idle(wait('thorx', 5))]).toEqual([
      false,
      true,
      true,
    ]);
  });

  test('begins with what waits longest, and says once how to answer all', () => {
    const found = waitingForOf([wait('thorx', 5), wait('spark-1', 3, 'take it'), wait('spark-2', 4)]);
    expect(found).toMatchObject({ node: 'spark-1', since: 3 });
    expect(found?.all.map(({ node }) => node)).toEqual(['spark-1', 'spark-2', 'thorx']);
    expect(found?.what.match(/windlass retry/g)).toHaveLength(1);
    expect(found?.what).toContain('windlass approve FILE [NODE]: take it (signal approve)');
  });
});
