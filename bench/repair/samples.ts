/** What was seen of one fault, and the figures that are made of several. */
import { quantile } from '../statistics.ts';
import { rounded } from '../record.ts';

/** Milliseconds. */
export interface Sample {
  /** What was harmed, and how. */
  readonly fault: string;
  /** From the harm until somebody acts on it. */
  readonly noticedMs: number;
  /** From the notice until the work goes on, or, for a gang, until the first act of its repair; null where none is awaited. */
  readonly resumedMs: number | null;
  /** From the harm until the cluster serves again; null where it never ceased to. */
  readonly servesMs: number | null;
}

export interface Figures {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

function figuresOf(values: readonly (number | null)[]): Figures | null {
  const found = values.filter((value) => value !== null);
  if (found.length === 0) return null;
  return { count: found.length, p50: rounded(quantile(found, 0.5)), p99: rounded(quantile(found, 0.99)) };
}

/** The figures of each kind of fault. */
export function byFault(samples: readonly Sample[]) {
  const faults = [...new Set(samples.map(({ fault }) => fault))];
  return Object.fromEntries(
    faults.map((fault) => {
      const of = samples.filter((sample) => sample.fault === fault);
      return [
        fault,
        {
          noticedMs: figuresOf(of.map(({ noticedMs }) => noticedMs)),
          resumedMs: figuresOf(of.map(({ resumedMs }) => resumedMs)),
          servesMs: figuresOf(of.map(({ servesMs }) => servesMs)),
        },
      ];
    }),
  );
}
