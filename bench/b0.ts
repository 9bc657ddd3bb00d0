/** B0, calibration: what raw Temporal, ssh and a bare Node.js cost here. These are denominators; there is no bar. */
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Benchmark } from './benchmarks.ts';
import { watchCpu } from './machine.ts';
import { runRounds } from './pairs.ts';
import type { BenchRecord } from './record.ts';
import { rounded, roundedAll } from './record.ts';
import type { Rig } from './rig.ts';
import { headName, openHost } from './rig.ts';
import { neededPairs, reasonsAgainst, variationOf } from './statistics.ts';
import type { RawCase } from './temporal/raw.ts';
import { measureRaw } from './temporal/raw.ts';

const cases = [
  { queues: 1, activities: 1 },
  { queues: 1, activities: 10 },
  { queues: 4, activities: 1 },
  { queues: 4, activities: 10 },
];

export const b0: Benchmark = {
  name: 'B0',
  summary: 'calibration: raw Temporal, cold and multiplexed ssh, bare Node.js; no bar',
  run: async ({ log, attachTo, rounds }): Promise<BenchRecord> => {
    const cpuOf = await watchCpu();
    log('Temporal: a server, workers, and workflows that do nothing');
    const raw = await measureRaw(cases, rounds ?? 30);
    const temporalCpu = await cpuOf();
    const rig = await openHost(log, attachTo);
    try {
      const lines = await measureLines(rig, log, rounds);
      // One look at each of four nodes is what a bring-up without work asks of Temporal.
      const nearest = raw.find((each) => each.queues === 4 && each.activitiesPerQueue === 1);
      const value = nearest?.p50Ms ?? Number.NaN;
      const repetitions = nearest?.runs.length ?? 0;
      const variation = variationOf(nearest?.runs ?? []);
      const reasons = [
        ...reasonsAgainst({ kept: repetitions, needed: neededPairs(value), cpu: temporalCpu, variation }),
        ...lines.reasons,
      ];
      return {
        bench: 'B0',
        value: rounded(value),
        unit: 'ms',
        peers: roundedAll(lines.medians),
        limit: null,
        ratioToBestPeer: null,
        ratioToLimit: null,
        n: 4,
        repetitions,
        variation: rounded(variation),
        valid: reasons.length === 0,
        bar: null,
        pass: null,
        details: {
          reasons,
          value: 'a workflow with one activity that does nothing on each of four queues, start to result',
          temporal: raw.map(explain),
          temporalCpu: rounded(temporalCpu),
          lines: { pairs: lines.kept, tried: lines.tried, cpu: rounded(lines.cpu) },
        },
      };
    } finally {
      await rig.close();
    }
  },
};

async function measureLines(rig: Rig, log: (sentence: string) => void, rounds: number | undefined) {
  const folder = await mkdtemp(join(rig.lab.names.folder, 'm-'));
  const socket = ['-o', `ControlPath=${join(folder, 'socket')}`];
  // With pipes of ours held open by the connection that stays, its start would not be seen to end.
  await rig.time('sh', ['-c', `ssh -fN -M ${socket.join(' ')} ${headName} >/dev/null 2>&1`]);
  const time = async (file: string, args: readonly string[]): Promise<number> =>
    (await rig.time(file, args)).ms;
  try {
    return await runRounds(
      {
        'ssh, cold': () => time('ssh', [headName, 'true']),
        'ssh, multiplexed': () => time('ssh', [...socket, headName, 'true']),
        'node -e 0': () => time(process.execPath, ['-e', '0']),
      },
      { ours: 'ssh, cold', log, ...(rounds !== undefined && { atMost: rounds }) },
    );
  } finally {
    await rig.time('ssh', [...socket, '-O', 'exit', headName]);
    await rm(folder, { recursive: true, force: true });
  }
}

const explain = (each: RawCase) => ({
  queues: each.queues,
  activitiesPerQueue: each.activitiesPerQueue,
  p50Ms: rounded(each.p50Ms),
  p99Ms: rounded(each.p99Ms),
  scheduleToStart: roundedAll({ ...each.scheduleToStart }),
  eventsPerRun: each.eventsPerRun,
  cpuMsPerActivity: roundedAll({ ...each.cpuMsPerActivity }),
});
