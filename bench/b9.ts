/**
 * B9, the control worker dies, or Temporal, or both: what does it cost, and is anything done twice? Cost is how long
 * runs over simulated nodes stand still, by their own histories; what is done twice is read from the ledgers of four
 * real hosts.
 */
import { randomFrom } from '../test/support/random.ts';
import type { Benchmark, BenchOptions } from './benchmarks.ts';
import type { OnHosts } from './deaths/on-hosts.ts';
import { disturbHosts } from './deaths/on-hosts.ts';
import type { Simulate, Victim } from './deaths/simulated.ts';
import { openSimulation, victims } from './deaths/simulated.ts';
import { watchCpu } from './machine.ts';
import type { BenchRecord } from './record.ts';
import { atLeast, atMost, rounded, roundedAll } from './record.ts';
import { median, quantile, reasonsAgainst, variationOf } from './statistics.ts';

const seed = 20_261_128;
const simulatedNodes = 16;
/** The SDK's default: a service waits so long for a worker that is gone before it asks another one. */
const defaultWindowMs = 10_000;
const counts = { mini: { instants: 18, onHosts: 3 }, full: { instants: 50, onHosts: 9 } };

export const b9: Benchmark = {
  name: 'B9',
  summary: 'control worker, Temporal, both killed at seeded instants: what it costs, and what is done twice',
  run: async (options): Promise<BenchRecord> => {
    const wanted = options.isFull ? counts.full : counts.mini;
    const instants = Math.min(wanted.instants, options.rounds ?? Number.POSITIVE_INFINITY);
    const cpuOf = await watchCpu();
    const simulated = await measure(instants, options);
    const cpu = await cpuOf();
    const onHosts = await disturbHosts(
      Math.min(wanted.onHosts, options.rounds ?? Number.POSITIVE_INFINITY),
      randomFrom(seed + 1),
      options.log,
    );
    return recordOf(simulated, onHosts, { needed: wanted.instants, cpu });
  },
};

interface Death {
  readonly victim: Victim;
  /** Milliseconds for which the bring-up stood still. */
  readonly costMs: number;
  /** What somebody has lost who must start over. */
  readonly lostMs: number;
}

interface Simulated {
  /** How long an undisturbed run takes. */
  readonly usualMs: number;
  readonly deaths: readonly Death[];
  /** The deaths of the control worker again, at the same instants, for one that has the SDK's default sticky window. */
  readonly byDefault: readonly Death[];
  readonly repeated: number;
}

/** Each third death is that of the control worker alone, and its instant is met with the default window too. */
async function measure(instants: number, { log }: BenchOptions): Promise<Simulated> {
  const random = randomFrom(seed);
  const [deaths, byDefault]: [Death[], Death[]] = [[], []];
  let repeated = 0;
  const simulation = await openSimulation(simulatedNodes);
  const die = async (run: Simulate, victim: Victim, afterMs: number): Promise<Death[]> => {
    const { stallMs, repeated: again } = await run({ afterMs, victim });
    repeated += again;
    log(
      `${victim} killed after ${afterMs.toFixed(0)} ms: ${stallMs?.toFixed(0) ?? 'no'} ms of standing still`,
    );
    return stallMs === null ? [] : [{ victim, costMs: stallMs, lostMs: afterMs }];
  };
  try {
    for (const warmUp of [simulation.run, simulation.runByDefault]) await warmUp();
    const { ms: usualMs } = await simulation.run();
    // A death that comes when the run is over is met again at another instant.
    for (let tries = 0; deaths.length < instants && tries < 2 * instants; tries += 1) {
      const victim = victims[deaths.length % victims.length] ?? 'both';
      const afterMs = random() * usualMs * 0.95;
      deaths.push(...(await die(simulation.run, victim, afterMs)));
      if (victim !== 'control worker') continue;
      log('the same with the default sticky window');
      byDefault.push(...(await die(simulation.runByDefault, victim, afterMs)));
    }
    return { usualMs, deaths, byDefault, repeated };
  } finally {
    await simulation.close();
  }
}

function recordOf(
  { usualMs, deaths, byDefault, repeated }: Simulated,
  onHosts: OnHosts,
  { needed, cpu }: { readonly needed: number; readonly cpu: number },
): BenchRecord {
  const costsOf = (victim: Victim): number[] =>
    deaths.filter((death) => death.victim === victim).map(({ costMs }) => costMs);
  const control = costsOf('control worker');
  const value = median(control);
  const peers = {
    'the same with the SDK’s default sticky window': median(byDefault.map(({ costMs }) => costMs)),
    'starting over': median(deaths.map(({ lostMs }) => lostMs)),
  };
  // A death may fall anywhere: that its cost scatters says nothing about the machine.
  const reasons = reasonsAgainst({ kept: deaths.length, needed, cpu, variation: 0 });
  const bars = [
    atMost('changes done twice, real hosts', 0, onHosts.twice.length + onHosts.strangers),
    atMost('acts begun again after they had ended well, simulated', 0, repeated),
    atMost('cost of a control worker’s death at p95, ms', 4_000, quantile(control, 0.95)),
    atMost('median cost ÷ default sticky window', 0.3, value / defaultWindowMs),
    atLeast(
      'times cheaper than with the default window',
      1,
      peers['the same with the SDK’s default sticky window'] / value,
    ),
  ];
  const summaryOf = (q: number): Record<string, number> =>
    roundedAll(Object.fromEntries(victims.map((victim) => [victim, quantile(costsOf(victim), q)])));
  return {
    bench: 'B9',
    value: rounded(value),
    unit: 'ms',
    peers: roundedAll(peers),
    limit: null,
    ratioToBestPeer: rounded(Math.min(...Object.values(peers)) / value),
    ratioToLimit: null,
    n: simulatedNodes,
    repetitions: deaths.length,
    variation: rounded(variationOf(control)),
    valid: reasons.length === 0,
    bar: bars,
    pass: bars.every(({ pass }) => pass),
    details: {
      reasons,
      value: 'how long a bring-up of 16 simulated nodes stands still when its control worker dies, median',
      undisturbedMs: rounded(usualMs),
      p50: summaryOf(0.5),
      p95: summaryOf(0.95),
      cpu: rounded(cpu),
      hosts: onHosts,
    },
  };
}
