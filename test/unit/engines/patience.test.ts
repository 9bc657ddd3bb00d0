import { describe, expect, test } from '@jest/globals';
import { stuckBecause } from '../../../src/engines/patience.ts';

const minute = 60_000;
const at = 1_000 * minute;

/** Signs that were last seen so many minutes ago. */
const seen = (line: number, work: number) => ({ lineAt: at - line * minute, workAt: at - work * minute });

describe('a start is stuck', () => {
  test.each([
    ['that works', {}, seen(1, 0), null],
    ['that has been at rest for less than ten minutes', {}, seen(9, 9), null],
    ['at rest for longer', {}, seen(12, 11), 'no log line, no CPU time, no child process for 660 s'],
    ['at rest for longer in a phase that may take so long', { weights: 1_800 }, seen(12, 11), null],
    ['at rest, where another phase may take longer', { imports: 1_800 }, seen(12, 11), /for 660 s/],
    ['at rest for longer than a person allows', { weights: 20 }, seen(1, 1), /for 60 s/],
    ['that compiles for an hour', {}, seen(59, 0), null],
    [
      'that computes for longer without a line',
      {},
      seen(61, 0),
      'it computes, and no log line came for 3660 s',
    ],
    ['that computes, for as long as its phase may take', { weights: 1_800 }, seen(179, 0), null],
  ])('or not: %s', (_what, patience, signs, because) => {
    const why = stuckBecause(patience, 'weights', signs, at);
    if (because === null) expect(why).toBeNull();
    else expect(why).toMatch(because);
  });
});
