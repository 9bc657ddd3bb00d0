/**
 * Runs contenders in turn, round after round, so that what disturbs the machine disturbs all of them, and judges what
 * came out by the noise rules.
 */
import type { Log } from '../test/lab/run.ts';
import { probeMachine, watchCpu } from './machine.ts';
import type { Evidence, Pair } from './statistics.ts';
import { keepPairs, median, neededPairs, reasonsAgainst, variationOf } from './statistics.ts';

/** Runs one contender once and returns its milliseconds. Throws where it did not do its work. */
export type Contender = () => Promise<number>;

export interface Rounds extends Evidence {
  /** Milliseconds by contender, one for each round that counts; at equal places stand times of one round. */
  readonly times: Readonly<Record<string, readonly number[]>>;
  readonly medians: Readonly<Record<string, number>>;
  readonly tried: number;
  /** Why the figures may not be believed; empty when they are valid. */
  readonly reasons: readonly string[];
  /** Busy share of all cores while each contender ran. */
  readonly cpuBy: Readonly<Record<string, number>>;
}

export interface RoundsOptions {
  /** The contender whose scatter counts. */
  readonly ours: string;
  /** Rounds wanted at least; the rules ask for more where times are short. */
  readonly atLeast?: number;
  /** Stop after this many rounds, whatever the rules ask for. */
  readonly atMost?: number;
  readonly log: Log;
}

/** Interleave the contenders until enough rounds count, or twice as many were tried. */
export async function runRounds(
  contenders: Readonly<Record<string, Contender>>,
  { ours, atLeast = 5, atMost, log }: RoundsOptions,
): Promise<Rounds> {
  for (const [name, run] of Object.entries(contenders))
    log(`${name}: ${(await run()).toFixed(0)} ms (warm-up)`);
  const cpuOf = await watchCpu();
  const pairs: Pair[] = [];
  const busy: Record<string, number[]> = {};
  const needed = (): number => {
    const shortest = Math.min(...pairs.flatMap(({ times }) => Object.values(times)), Infinity);
    return Math.max(atLeast, neededPairs(shortest));
  };
  while (keepPairs(pairs).length < needed() && pairs.length < (atMost ?? 2 * needed())) {
    pairs.push(await runRound(contenders, busy));
    const last = pairs.at(-1)?.times ?? {};
    log(
      `round ${pairs.length}: ${describe(last)}${keepPairs(pairs.slice(-1)).length === 0 ? ' (disturbed)' : ''}`,
    );
  }
  return judge(pairs, ours, needed(), await cpuOf(), busy);
}

async function runRound(
  contenders: Readonly<Record<string, Contender>>,
  busy: Record<string, number[]>,
): Promise<Pair> {
  const probeBefore = probeMachine();
  const times: Record<string, number> = {};
  for (const [name, run] of Object.entries(contenders)) {
    const cpuOf = await watchCpu();
    times[name] = await run();
    (busy[name] ??= []).push(await cpuOf());
  }
  return { probeBefore, probeAfter: probeMachine(), times };
}

function judge(
  pairs: readonly Pair[],
  ours: string,
  needed: number,
  cpu: number,
  busy: Readonly<Record<string, readonly number[]>>,
): Rounds {
  const kept = keepPairs(pairs);
  // Figures of disturbed rounds are shown where there are no others, and the run is not valid then.
  const shown = kept.length > 0 ? kept : pairs;
  const names = Object.keys(pairs[0]?.times ?? {});
  const times = Object.fromEntries(
    names.map((name) => [name, shown.map((pair) => pair.times[name] ?? Number.NaN)]),
  );
  const evidence = { kept: kept.length, needed, cpu, variation: variationOf(times[ours] ?? []) };
  return {
    ...evidence,
    times,
    medians: Object.fromEntries(names.map((name) => [name, median(times[name] ?? [])])),
    tried: pairs.length,
    reasons: reasonsAgainst(evidence),
    cpuBy: Object.fromEntries(Object.entries(busy).map(([name, shares]) => [name, median(shares)])),
  };
}

const describe = (times: Readonly<Record<string, number>>): string =>
  Object.entries(times)
    .map(([name, ms]) => `${name} ${ms.toFixed(0)} ms`)
    .join(', ');
