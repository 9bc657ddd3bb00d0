import { describe, expect, test } from '@jest/globals';
import { haveWorked } from '../../../src/process/at-work.ts';

/** A look after so many milliseconds: the ticks of each process, by its pid. */
const look = (at: number, ticks: Readonly<Record<number, number>>) => ({
  at,
  members: Object.entries(ticks).map(([pid, cpuTicks]) => ({
    pid: Number(pid),
    startTicks: 1,
    cpuTicks,
    name: 'p',
    command: 'p',
  })),
});
const before = look(0, { 1: 100, 2: 200, 3: 300 });

describe('between two looks', () => {
  test.each([
    ['nothing is told of a moment', look(4_999, { 1: 600, 2: 200, 3: 300 }), null],
    ['daemons that use a little each are at rest', look(5_000, { 1: 120, 2: 220, 3: 320 }), false],
    ['one that uses a part of a core works', look(5_000, { 1: 100, 2: 230, 3: 300 }), true],
    ['the same is rest over a longer time', look(10_000, { 1: 100, 2: 230, 3: 300 }), false],
    ['one that has come is work', look(5_000, { 1: 100, 2: 200, 3: 300, 4: 0 }), true],
    ['one that has gone is work', look(5_000, { 1: 100, 2: 200 }), true],
    ['one in the place of another is work', look(5_000, { 1: 100, 2: 200, 4: 0 }), true],
    ['nothing at all is no work', look(5_000, { 1: 100, 2: 200, 3: 300 }), false],
  ])('%s', (_what, now, worked) => {
    expect(haveWorked(before, now)).toBe(worked);
  });
});
