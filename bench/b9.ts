/**
 * B9, the control worker dies, or Temporal, or both: what does it cost, and is anything done twice? Cost is measured on
 * simulated nodes, where an undisturbed run takes the same time again and again; what is done twice is read from the
 * ledgers of four real hosts.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { doneTwice, killUnit, readLedger } from '../test/lab/ledger.ts';
import { Stage } from '../test/lab/stage.ts';
import { startOver } from '../test/lab/upheaval.ts';
import { randomFrom } from '../test/support/random.ts';
import type { Benchmark, BenchOptions } from './benchmarks.ts';
import type { Simulation, Victim } from './deaths/simulated.ts';
import { openSimulation } from './deaths/simulated.ts';
import { watchCpu } from './machine.ts';
import type { BenchRecord } from './record.ts';
import { atMost, rounded, roundedAll } from './record.ts';
import { clusterFile, headName } from './rig.ts';
import { median, quantile, reasonsAgainst, variationOf } from './statistics.ts';

const seed = 20_261_128;
const simulatedNodes = 16;
const victims: readonly Victim[] = ['control worker', 'Temporal', 'both'];

export const b9: Benchmark = {
  name: 'B9',
  summary: 'control worker, Temporal, both killed at 50 seeded instants: cost, and what is done twice',
  run: async (options): Promise<BenchRecord> => {
    const cpuOf = await watchCpu();
    const instants = options.rounds ?? 50;
    const ours = await measure(await openSimulation(simulatedNodes, false), instants, victims, options);
    const peer = await measure(
      await openSimulation(simulatedNodes, true),
      Math.ceil(instants / 5),
      ['control worker'],
      options,
    );
    const real = await disturbHosts(instants, options);
    return recordOf(ours, peer, real, await cpuOf());
  },
};

interface Measured {
  readonly undisturbed: readonly number[];
  readonly deaths: readonly { readonly victim: Victim; readonly costMs: number; readonly lostMs: number }[];
  readonly repeated: number;
}

/** Undisturbed runs between those in which something dies, so that both are measured on the same machine. */
async function measure(
  simulation: Simulation,
  instants: number,
  dying: readonly Victim[],
  { log }: BenchOptions,
): Promise<Measured> {
  const random = randomFrom(seed);
  const undisturbed: number[] = [];
  const deaths: Measured['deaths'][number][] = [];
  let repeated = 0;
  try {
    await simulation.run();
    for (let at = 0; at < instants; at += 1) {
      if (at % 5 === 0) undisturbed.push((await simulation.run()).ms);
      const whole = median(undisturbed);
      const victim = dying[at % dying.length] ?? 'both';
      const afterMs = random() * whole * 0.95;
      const run = await simulation.run({ afterMs, victim });
      repeated += run.repeated;
      // Who starts over has lost all that was done before.
      deaths.push({ victim, costMs: run.ms - whole, lostMs: afterMs });
      log(
        `${victim} killed after ${afterMs.toFixed(0)} of ${whole.toFixed(0)} ms: ${(run.ms - whole).toFixed(0)} ms more`,
      );
    }
  } finally {
    await simulation.close();
  }
  return { undisturbed, deaths, repeated };
}

interface OnHosts {
  readonly instants: number;
  readonly bringUps: number;
  readonly twice: readonly string[];
  /** Runs that changed a node in one bring-up, beyond the one. */
  readonly strangers: number;
}

/** Bring-ups from nothing on four real hosts, during which something dies again and again. */
async function disturbHosts(instants: number, { log }: BenchOptions): Promise<OnHosts> {
  const random = randomFrom(seed + 1);
  const stage = await Stage.start({ name: 'deaths', log });
  const twice: string[] = [];
  let [done, bringUps, strangers] = [0, 0, 0];
  try {
    while (done < instants) {
      if (bringUps > 0) await startOver(stage);
      bringUps += 1;
      const run = stage.start(['up', clusterFile, '--json']);
      let isOver = false as boolean;
      const ended = run.finally(() => {
        isOver = true;
      });
      const head = stage.lab.host(headName);
      for (;;) {
        await sleep(2_000 + random() * 6_000);
        if (isOver || done >= instants) break;
        if ((await readLedger(head)).length === 0) continue;
        const victim = victims[done % victims.length];
        if (victim !== 'Temporal') await killUnit(head, 'windlass-control');
        if (victim !== 'control worker') await killUnit(head, 'windlass-temporal');
        done += 1;
      }
      const { exitCode, stdout, stderr } = await ended;
      if (exitCode !== 0)
        throw new Error(`up ended with ${String(exitCode)}\n${String(stdout)}\n${String(stderr)}`);
      for (const host of stage.lab.hosts) {
        twice.push(...(await doneTwice(host)).map((what) => `${host.name}: ${what}`));
        strangers += new Set((await readLedger(host)).map((line) => line.run)).size - 1;
      }
      log(`bring-up ${bringUps}: ${done} deaths so far, done twice: ${twice.length}`);
    }
  } finally {
    await stage.stop();
  }
  return { instants: done, bringUps, twice, strangers };
}

function recordOf(ours: Measured, peer: Measured, real: OnHosts, cpu: number): BenchRecord {
  const costs = (victim: Victim, of = ours) =>
    of.deaths.filter((death) => death.victim === victim).map(({ costMs }) => costMs);
  const control = costs('control worker');
  const value = median(control);
  const other = median(costs('control worker', peer));
  const startOverMs = median(ours.deaths.map(({ lostMs }) => lostMs));
  const variation = variationOf(ours.undisturbed);
  const reasons = reasonsAgainst({ kept: ours.deaths.length, needed: 50, cpu, variation });
  const bars = [
    atMost('changes done twice on real hosts', 0, real.twice.length + real.strangers),
    atMost('acts begun again after they had ended well, simulated', 0, ours.repeated),
    atMost('cost of a control worker’s death at p95, ms', 4_000, quantile(control, 0.95)),
  ];
  return {
    bench: 'B9',
    value: rounded(value),
    unit: 'ms',
    peers: roundedAll({
      'the same with the SDK’s default sticky window': other,
      'starting over': startOverMs,
    }),
    limit: null,
    ratioToBestPeer: rounded(Math.min(other, startOverMs) / value),
    ratioToLimit: null,
    n: simulatedNodes,
    repetitions: ours.deaths.length,
    variation: rounded(variation),
    valid: reasons.length === 0,
    bar: bars,
    pass: bars.every(({ pass }) => pass),
    details: {
      reasons,
      value: 'what the death of the control worker adds to a bring-up of 16 simulated nodes, median',
      undisturbedMs: rounded(median(ours.undisturbed)),
      p95: roundedAll(Object.fromEntries(victims.map((victim) => [victim, quantile(costs(victim), 0.95)]))),
      p50: roundedAll(Object.fromEntries(victims.map((victim) => [victim, median(costs(victim))]))),
      cpu: rounded(cpu),
      hosts: real,
    },
  };
}
