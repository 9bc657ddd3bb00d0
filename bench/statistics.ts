/**
 * The arithmetic of the benchmarks: medians, paired ratios, a bootstrap interval, and whether a run may be believed.
 * Nothing here measures anything.
 */
import { randomFrom } from '../test/support/random.ts';

/** Return the value below which the share `q` of the values lies, between neighbours in proportion. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const at = q * (sorted.length - 1);
  const low = sorted[Math.floor(at)] ?? Number.NaN;
  const high = sorted[Math.ceil(at)] ?? Number.NaN;
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/** Return the middle half's width as a share of the median: how much the values scatter, outliers aside. */
export function variationOf(values: readonly number[]): number {
  return (quantile(values, 0.75) - quantile(values, 0.25)) / median(values);
}

/** Return `dividends[i] / divisors[i]`: what was measured side by side is compared side by side. */
export function pairedRatios(dividends: readonly number[], divisors: readonly number[]): number[] {
  if (dividends.length !== divisors.length) throw new Error('paired values must be equally many');
  return dividends.map((dividend, at) => dividend / (divisors[at] ?? Number.NaN));
}

export interface Interval {
  readonly low: number;
  readonly high: number;
}

const resamples = 1_000;
const fixedSeed = 20_261_122;

/** Return the 95 % bootstrap interval of the median. The same values and seed give the same interval. */
export function bootstrapInterval(values: readonly number[], seed = fixedSeed): Interval {
  const random = randomFrom(seed);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[Math.floor(random() * values.length)] ?? Number.NaN)),
  );
  return { low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** One round of all contenders, with a fixed piece of work timed before and after it. */
export interface Pair {
  readonly probeBefore: number;
  readonly probeAfter: number;
  /** Milliseconds by contender. */
  readonly times: Readonly<Record<string, number>>;
}

/** Probes that differ by more say that the machine was another one at the end of the round. */
export const mostProbeDrift = 0.05;
/** Above this share of all cores a latency says more about the machine than about the program. */
export const mostCpu = 0.8;
/** Above this scatter of our own times a median is a matter of luck. */
export const mostVariation = 0.15;

const driftOf = ({ probeBefore, probeAfter }: Pair): number =>
  Math.abs(probeAfter - probeBefore) / Math.min(probeBefore, probeAfter);

/** Return the rounds whose probes agree. */
export function keepPairs(pairs: readonly Pair[]): Pair[] {
  return pairs.filter((pair) => driftOf(pair) <= mostProbeDrift);
}

/** Return how many rounds a claim needs: more where times are short. `ms` is the shortest time that it rests on. */
export const neededPairs = (ms: number): number => (ms < 1_000 ? 11 : 5);

export interface Evidence {
  readonly kept: number;
  readonly needed: number;
  /** Share of all cores that was busy, on average over the run. */
  readonly cpu: number;
  readonly variation: number;
}

/** Return why the figures may not be believed; an empty list means that they are valid. */
export function reasonsAgainst({ kept, needed, cpu, variation }: Evidence): string[] {
  const percent = (share: number): string => `${Math.round(100 * share)} %`;
  return [
    ...(kept < needed ? [`${kept} undisturbed pairs of the ${needed} that are needed`] : []),
    ...(cpu > mostCpu ? [`the machine was ${percent(cpu)} busy; at most ${percent(mostCpu)}`] : []),
    ...(variation > mostVariation
      ? [`the times scatter by ${percent(variation)}; at most ${percent(mostVariation)}`]
      : []),
  ];
}
