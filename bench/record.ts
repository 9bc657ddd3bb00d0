/** The one line that a benchmark prints: the measured value beside its peers, its limit and its bars. */
import type { Interval } from './statistics.ts';

/** A claim that can fail: a figure of this run against a bound. */
export interface Bar {
  readonly name: string;
  readonly bound: 'at least' | 'at most';
  readonly wanted: number;
  readonly found: number;
  readonly pass: boolean;
}

/** What every benchmark says. Times are milliseconds unless `unit` says otherwise. */
export interface BenchRecord {
  readonly bench: string;
  readonly value: number;
  readonly unit: string;
  readonly peers: Readonly<Record<string, number>>;
  readonly limit: number | null;
  /** Best peer ÷ value, paired: above 1 we are faster. */
  readonly ratioToBestPeer: number | null;
  /** Value ÷ limit, paired: 1 is as fast as can be. */
  readonly ratioToLimit: number | null;
  /** Nodes. */
  readonly n: number;
  /** Rounds that count. */
  readonly repetitions: number;
  readonly variation: number;
  readonly valid: boolean;
  /** Null where a benchmark gives denominators only. */
  readonly bar: readonly Bar[] | null;
  readonly pass: boolean | null;
  readonly details: Readonly<Record<string, unknown>>;
}

export const atLeast = (name: string, wanted: number, found: number): Bar => ({
  name,
  bound: 'at least',
  wanted,
  found: rounded(found),
  pass: found >= wanted,
});

export const atMost = (name: string, wanted: number, found: number): Bar => ({
  name,
  bound: 'at most',
  wanted,
  found: rounded(found),
  pass: found <= wanted,
});

/** Three significant places are more than the noise allows to claim. */
export const rounded = (value: number): number => Number(value.toPrecision(4));

export const roundedInterval = ({ low, high }: Interval): Interval => ({
  low: rounded(low),
  high: rounded(high),
});

export const roundedAll = (values: Readonly<Record<string, number>>): Record<string, number> =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, rounded(value)]));
