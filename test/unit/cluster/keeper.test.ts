import { describe, expect, test } from '@jest/globals';
import type { KeeperStatus, Loss } from '../../../src/cluster/keeper.ts';
import { isLostTooOften, keeperMarkdown, recent } from '../../../src/cluster/keeper.ts';

const minute = 60_000;
const losses = (...ways: string[]): Loss[] => ways.map((way, at) => ({ way, at: at * minute }));

describe('a gang was lost too often', () => {
  test.each<[string, Loss[], boolean]>([
    ['never', [], false],
    ['twice in the same way', losses('a', 'a'), false],
    ['three times in the same way', losses('a', 'a', 'a'), true],
    ['three times, with another way between', losses('a', 'b', 'a', 'a'), true],
    ['at last in a way of its own', losses('a', 'a', 'b'), false],
  ])('when it was lost %s', (_title, given, isTooOften) => {
    expect(isLostTooOften(given)).toBe(isTooOften);
  });

  test('and what is older than an hour counts no more', () => {
    expect(recent(losses('a', 'a', 'a'), 60 * minute)).toEqual(losses('a', 'a', 'a').slice(1));
  });
});

test('its page says what it does, what it lost, and how to answer', () => {
  const status: KeeperStatus = {
    cluster: 'lab',
    state: 'circuit open',
    since: 2 * minute,
    last: { lostAt: minute, what: 'thorx · watch rank: gone (RANK_MISSING)', servesAt: null },
    waitingFor: { node: 'thorx', since: 2 * minute, what: 'it stopped\n  windlass retry FILE', all: [] },
  };
  expect(keeperMarkdown(status)).toMatchInlineSnapshot(`
   "**lab**: circuit open, since 1970-01-01T00:02:00.000Z  
   Lost 1970-01-01T00:01:00.000Z: thorx · watch rank: gone (RANK_MISSING)  
   It does not serve yet.  
   it stopped  
   windlass retry FILE"
  `);
});
