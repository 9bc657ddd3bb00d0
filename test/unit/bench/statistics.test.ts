/** The arithmetic of the benchmarks: known values, what a bootstrap promises, and every reason not to believe a run. */
import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { Pair } from '../../../bench/statistics.ts';
import {
  bootstrapInterval,
  keepPairs,
  median,
  neededPairs,
  pairedRatios,
  quantile,
  reasonsAgainst,
  variationOf,
} from '../../../bench/statistics.ts';
import { runs } from '../../support/property.ts';

describe('quantiles', () => {
  test.each([
    [[3, 1, 2], 0.5, 2],
    [[4, 1, 3, 2], 0.5, 2.5],
    [[10, 20, 30, 40, 50], 0.25, 20],
    [[1, 2], 0.99, 1.99],
    [[7], 0.99, 7],
  ])('of %j at %d is %d', (values, q, expected) => {
    expect(quantile(values, q)).toBeCloseTo(expected, 10);
  });

  test('do not depend on the order, and lie between the extremes', () => {
    const values = fc.array(fc.double({ min: 0.1, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (some, q) => {
        const found = quantile(some, q);
        expect(quantile(some.toReversed(), q)).toBe(found);
        expect(found).toBeGreaterThanOrEqual(Math.min(...some) * (1 - 1e-9));
        expect(found).toBeLessThanOrEqual(Math.max(...some) * (1 + 1e-9));
      }),
      runs(100),
    );
  });
});

describe('paired ratios', () => {
  test('compare what was measured in one round, so that a slow round does not count twice', () => {
    // Everything took ten times as long in the second round; the ratio of medians would be 5.5 ÷ 11 all the same.
    const ratios = pairedRatios([20, 200, 24], [10, 100, 8]);
    expect(ratios).toEqual([2, 2, 3]);
    expect(median(ratios)).toBe(2);
  });

  test('refuse lists of different lengths', () => {
    expect(() => pairedRatios([1, 2], [1])).toThrow('equally many');
  });
});

describe('the bootstrap interval', () => {
  const values = [9.1, 9.7, 10, 10.2, 10.3, 10.4, 10.9, 11, 11.3, 12, 30];

  test('is the same for the same values and seed, and another for another seed', () => {
    expect(bootstrapInterval(values)).toEqual(bootstrapInterval(values));
    const wide = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];
    const found = [1, 2, 3, 4, 5, 6, 7, 8].map((seed) => bootstrapInterval(wide, seed));
    expect(new Set(found.map(({ low, high }) => `${low} ${high}`)).size).toBeGreaterThan(1);
  });

  test('holds the median, and one outlier does not pull it', () => {
    const { low, high } = bootstrapInterval(values);
    expect(low).toBeLessThanOrEqual(median(values));
    expect(high).toBeGreaterThanOrEqual(median(values));
    expect(high).toBeLessThan(12.5);
  });

  test('is a point where all values are equal', () => {
    expect(bootstrapInterval([5, 5, 5, 5])).toEqual({ low: 5, high: 5 });
  });

  test('covers the true median in about 95 % of samples', () => {
    let state = 1;
    const random = (): number => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
    const samples = Array.from({ length: 60 }, () => Array.from({ length: 15 }, random));
    const covered = samples
      .map((sample) => bootstrapInterval(sample))
      .filter(({ low, high }) => low <= 0.5 && high >= 0.5);
    expect(covered.length).toBeGreaterThanOrEqual(52);
  });
});

describe('validity', () => {
  const pair = (probeBefore: number, probeAfter: number): Pair => ({ probeBefore, probeAfter, times: {} });

  test('discards rounds whose probes differ by more than 5 %, in either direction', () => {
    const pairs = [pair(100, 104), pair(100, 106), pair(106, 100), pair(104, 100)];
    expect(keepPairs(pairs)).toEqual([pair(100, 104), pair(104, 100)]);
  });

  test('wants eleven rounds where times are under a second, else five', () => {
    expect([neededPairs(999), neededPairs(1_000)]).toEqual([11, 5]);
  });

  const good = { kept: 11, needed: 11, cpu: 0.5, variation: 0.05 };
  test('has nothing against a quiet run', () => {
    expect(reasonsAgainst(good)).toEqual([]);
  });

  test.each([
    [{ kept: 10 }, '10 undisturbed pairs of the 11'],
    [{ cpu: 0.81 }, 'the machine was 81 % busy'],
    [{ variation: 0.2 }, 'scatter by 20 %'],
  ])('is refused for %j', (change, reason) => {
    const reasons = reasonsAgainst({ ...good, ...change });
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain(reason);
  });

  test('measures scatter by the middle half', () => {
    expect(variationOf([10, 10, 10, 10, 1_000])).toBe(0);
    expect(variationOf([8, 9, 10, 11, 12])).toBeCloseTo(0.2, 10);
  });
});
