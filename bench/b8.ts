/**
 * B8, fault → noticed → resumed, on two hosts with stand-in engines: how soon is each kind of fault noticed, how soon does
 * its repair begin, and how often is a fault seen where there is none? The harm is done and timed from outside.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Benchmark, BenchOptions } from './benchmarks.ts';
import { watchCpu } from './machine.ts';
import type { Bar, BenchRecord } from './record.ts';
import { atLeast, atMost, rounded, roundedAll } from './record.ts';
import { cpuShare, settleSeconds } from './repair/at-rest.ts';
import { Cluster } from './repair/cluster.ts';
import { describe, heartbeatTimeoutMs, killInActs, silenceInAct } from './repair/in-act.ts';
import { cutOff, killRaylet, rayNotices, systemdRestarts } from './repair/peers.ts';
import type { Sample } from './repair/samples.ts';
import { byFault } from './repair/samples.ts';
import type { SdkDefaults } from './repair/sdk.ts';
import { killPlainWorker } from './repair/sdk.ts';
import type { Alarms } from './repair/serving.ts';
import { harmGang, hang, parts, watchLossy } from './repair/serving.ts';
import { median, neededPairs, quantile, reasonsAgainst } from './statistics.ts';

const counts = {
  mini: { bringUps: 3, harms: 3, restSeconds: 30, lossySeconds: 60, hangs: 0 },
  full: { bringUps: 10, harms: 8, restSeconds: 120, lossySeconds: 600, hangs: 1 },
};
const percentLost = 5;

export const b8: Benchmark = {
  name: 'B8',
  summary: 'fault, noticed, resumed: process deaths, silence, false alarms, beside Ray, systemd and the SDK',
  run: async (options): Promise<BenchRecord> => {
    const cpuOf = await watchCpu();
    const cluster = await Cluster.boot(options.log);
    try {
      const inActs = await measureActs(cluster, options);
      const peers = await measurePeers(cluster, options);
      const serving = await measureServing(cluster, options);
      return recordOf([...inActs, ...serving.samples], peers, serving, await cpuOf());
    } finally {
      await cluster.stop();
    }
  },
};

/** How often each thing is done. */
function wanted({ isFull, rounds }: BenchOptions) {
  const asked = isFull ? counts.full : counts.mini;
  const most = rounds ?? Number.POSITIVE_INFINITY;
  return { ...asked, bringUps: Math.min(asked.bringUps, most), harms: Math.min(asked.harms, most) };
}

async function measureActs(cluster: Cluster, options: BenchOptions): Promise<Sample[]> {
  const { log } = options;
  log('a first bring-up of two hosts');
  await cluster.up({ isKept: false });
  const samples = await silenceInAct(cluster, log);
  for (let at = 0; at < wanted(options).bringUps; at += 1) samples.push(...(await killInActs(cluster, log)));
  return samples;
}

interface Peers {
  readonly rayKilledMs: number;
  readonly raySilentMs: number;
  readonly systemd: readonly number[];
  readonly sdk: SdkDefaults;
}

/** The cluster serves without a keeper, so that nobody mends what Ray is to notice; afterwards it is as it was. */
async function measurePeers(cluster: Cluster, { log }: BenchOptions): Promise<Peers> {
  const rayKilledMs = await rayNotices(cluster, killRaylet, 120);
  log(`Ray holds the node of a killed raylet for dead after ${rayKilledMs} ms`);
  await cluster.up({ isKept: false });
  // These wait for time-outs, and disturb each other by next to nothing.
  const [raySilentMs, systemd, sdk] = await Promise.all([
    rayNotices(cluster, cutOff, 180),
    systemdRestarts(cluster.head, 5),
    killPlainWorker(heartbeatTimeoutMs),
  ]);
  log(`Ray holds a node that is cut off for dead after ${raySilentMs} ms`);
  log(`the SDK’s defaults notice a killed worker after ${sdk.noticedMs.toFixed(0)} ms`);
  await cluster.worker.heal();
  // Ray has given that node up, and ends its daemons there some seconds after they hear of it.
  await cluster.down();
  return { rayKilledMs, raySilentMs, systemd, sdk };
}

async function measureServing(cluster: Cluster, options: BenchOptions) {
  const { log } = options;
  const { harms, hangs, restSeconds, lossySeconds } = wanted(options);
  const samples: Sample[] = [];
  await cluster.up({ isKept: true });
  const note = (sample: Sample): void => {
    log(`${sample.fault}: ${describe(sample)}, serves after ${(sample.servesMs ?? 0).toFixed(0)} ms`);
    samples.push(sample);
  };
  for (let at = 0; at < harms; at += 1) for (const part of parts) note(await harmGang(cluster, part));
  for (let at = 0; at < hangs; at += 1) note(await harmGang(cluster, hang));
  const settlePercent = await cpuShare(cluster, settleSeconds, sleep);
  log(
    `a node worker uses ${settlePercent.toFixed(2)} % of a core in the first ${settleSeconds} s after a repair`,
  );
  const restPercent = await cpuShare(cluster, restSeconds, sleep);
  log(`a node worker that watches uses ${restPercent.toFixed(2)} % of a core`);
  log(`a watch of ${lossySeconds} s while ${percentLost} % of the packets are lost`);
  const alarms = await watchLossy(cluster, { seconds: lossySeconds, percent: percentLost }, sleep);
  return { samples, settlePercent, restPercent, alarms };
}

const isSilence = ({ fault }: Sample): boolean => !fault.includes('killed') && fault !== hang.fault;
const isDeath = ({ fault }: Sample): boolean => fault.includes('killed');

interface Serving {
  readonly settlePercent: number;
  readonly restPercent: number;
  readonly alarms: Alarms;
}

function recordOf(samples: readonly Sample[], peers: Peers, serving: Serving, cpu: number): BenchRecord {
  const deaths = samples.filter(isDeath);
  const noticed = deaths.map(({ noticedMs }) => noticedMs);
  const value = median(noticed);
  const bars = barsOf(samples, peers, serving);
  // A death falls anywhere between two looks: that its notice scatters says nothing about the machine.
  const reasons = reasonsAgainst({ kept: deaths.length, needed: neededPairs(value), cpu, variation: 0 });
  const systemd = median(peers.systemd);
  return {
    bench: 'B8',
    value: rounded(value),
    unit: 'ms',
    peers: roundedAll({
      'Ray, its raylet killed': peers.rayKilledMs,
      'Ray, a node cut off': peers.raySilentMs,
      'SDK defaults with our heartbeat time-out, worker killed': peers.sdk.noticedMs,
    }),
    limit: rounded(systemd),
    ratioToBestPeer: rounded(Math.min(peers.rayKilledMs, peers.sdk.noticedMs) / value),
    ratioToLimit: rounded(value / systemd),
    n: 2,
    repetitions: deaths.length,
    variation: rounded((quantile(noticed, 0.75) - quantile(noticed, 0.25)) / value),
    valid: reasons.length === 0,
    bar: bars,
    pass: bars.every(({ pass }) => pass),
    details: {
      reasons,
      value: 'from the death of a process to its notice, median over all kinds',
      limit: 'a unit that systemd starts again by itself, from its death to its next start',
      faults: byFault(samples),
      settlePercent: rounded(serving.settlePercent),
      restPercent: rounded(serving.restPercent),
      alarms: serving.alarms,
      sdk: roundedAll({ ...peers.sdk }),
      cpu: rounded(cpu),
    },
  };
}

function barsOf(samples: readonly Sample[], peers: Peers, { restPercent, alarms }: Serving): Bar[] {
  const deaths = samples.filter(isDeath);
  const silences = samples.filter(isSilence);
  const slowestSilence = Math.max(...silences.map(({ noticedMs }) => noticedMs));
  const noticed = median(deaths.map(({ noticedMs }) => noticedMs));
  const resumed = median(deaths.flatMap(({ resumedMs }) => resumedMs ?? []));
  return [
    atMost('process death noticed, p50, ms', 300, noticed),
    atMost('resumed after that, p50, ms', 1_500, resumed),
    atMost('silence of a node in an act ÷ heartbeat time-out', 1.2, slowestSilence / heartbeatTimeoutMs),
    atLeast('times sooner than Ray, process death', 50, peers.rayKilledMs / noticed),
    atLeast('times sooner than Ray, silent link', 2.5, peers.raySilentMs / slowestSilence),
    atMost('false alarms', 0, alarms.alarms),
    atMost('a node worker that watches, % of a core', 0.5, restPercent),
  ];
}
