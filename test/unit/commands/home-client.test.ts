/** How long a home is waited for: a person who is told that it is not there must not be told late. */
import { describe, expect, it } from '@jest/globals';
import { homeLimitMs } from '../../../src/commands/home-client.ts';

const activeFor = (milliseconds: number) => ({
  active: new Map([['windlass-temporal.service', milliseconds]]),
});

describe('homeLimitMs', () => {
  it('gives a home that was started a moment ago the time to open its store', () => {
    expect(homeLimitMs(activeFor(2_000))).toBe(30_000);
  });

  it('gives one that has run for long, or one of somebody else, five seconds', () => {
    expect(homeLimitMs(activeFor(3_600_000))).toBe(5_000);
    expect(homeLimitMs({ active: new Map() })).toBe(5_000);
  });
});
