/** B2, a second `up` with nothing to do on four nodes: what does it cost to know that all is as it should be? */
import type { BringUpReport } from '../src/cluster/report.ts';
import type { Benchmark } from './benchmarks.ts';
import type { RunHistory } from './history.ts';
import { readHistory } from './history.ts';
import type { Rounds } from './pairs.ts';
import { runRounds } from './pairs.ts';
import { ensureAnsible, makeAnsible } from './peers/ansible.ts';
import { makeScripts } from './peers/script.ts';
import { readStates } from './peers/states.ts';
import type { BenchRecord } from './record.ts';
import { atLeast, atMost, rounded, roundedAll, roundedInterval } from './record.ts';
import { clusterFile, openRig } from './rig.ts';
import { bootstrapInterval, median, pairedRatios } from './statistics.ts';

const script = 'one script over ssh per node';
const probe = 'one round trip per node';

interface SecondUp {
  readonly changes: number;
  readonly history: RunHistory;
  readonly phases: BringUpReport['phases'];
}

export const b2: Benchmark = {
  name: 'B2',
  summary: 'a second up with nothing to do on four nodes, beside Ansible and one script over ssh',
  run: async ({ log, attachTo, rounds }): Promise<BenchRecord> => {
    const ansibleVersion = await ensureAnsible(log);
    const rig = await openRig(log, attachTo);
    try {
      const states = await readStates(rig);
      const ansible = await makeAnsible(rig, states);
      const scripts = await makeScripts(rig, states);
      const reports: BringUpReport[] = [];
      try {
        const measured = await runRounds(
          {
            windlass: async () => {
              const { ms, stdout } = await rig.windlass('up', clusterFile, '--json');
              reports.push(JSON.parse(stdout) as BringUpReport);
              return ms;
            },
            ...ansible.contenders,
            [script]: scripts.states,
            [probe]: scripts.probe,
          },
          { ours: 'windlass', log, ...(rounds !== undefined && { atMost: rounds }) },
        );
        const last = reports.at(-1);
        if (!last) throw new Error('no up was measured');
        const second = {
          changes: Math.max(...reports.map(({ changes }) => changes)),
          history: await readHistory(rig, last.run),
          phases: last.phases,
        };
        return recordOf(measured, second, states.length, ansibleVersion);
      } finally {
        await scripts.close();
        await ansible.close();
      }
    } finally {
      await rig.close();
    }
  },
};

function recordOf(rounds: Rounds, second: SecondUp, nodes: number, ansible: string): BenchRecord {
  const ours = rounds.times['windlass'] ?? [];
  const peers = Object.keys(rounds.times).filter((name) => name !== 'windlass' && name !== probe);
  const ratioTo = (name: string): number[] => pairedRatios(rounds.times[name] ?? [], ours);
  const best = bestOf(rounds, peers);
  const bestAnsible = bestOf(
    rounds,
    peers.filter((name) => name.startsWith('ansible')),
  );
  const bars = [
    atLeast('times faster than Ansible at its best settings', 7, median(ratioTo(bestAnsible))),
    atMost(
      'acts and activities that change anything',
      0,
      Math.max(second.changes, second.history.changing + second.history.children),
    ),
    atMost('history events a node', 12, second.history.events / nodes),
  ];
  return {
    bench: 'B2',
    value: rounded(median(ours)),
    unit: 'ms',
    peers: roundedAll(Object.fromEntries(peers.map((name) => [name, rounds.medians[name] ?? Number.NaN]))),
    limit: rounded(rounds.medians[probe] ?? Number.NaN),
    ratioToBestPeer: rounded(median(ratioTo(best))),
    ratioToLimit: rounded(1 / median(ratioTo(probe))),
    n: nodes,
    repetitions: rounds.kept,
    variation: rounded(rounds.variation),
    valid: rounds.reasons.length === 0,
    bar: bars,
    pass: bars.every(({ pass }) => pass),
    details: {
      reasons: rounds.reasons,
      tried: rounds.tried,
      cpu: rounded(rounds.cpu),
      cpuBy: roundedAll(rounds.cpuBy),
      ansible,
      bestAnsible,
      timesFasterThanAnsible: roundedInterval(bootstrapInterval(ratioTo(bestAnsible))),
      changes: second.changes,
      history: second.history,
      phases: second.phases,
    },
  };
}

function bestOf(rounds: Rounds, names: readonly string[]): string {
  const time = (name: string): number => rounds.medians[name] ?? Number.POSITIVE_INFINITY;
  return names.toSorted((a, b) => time(a) - time(b))[0] ?? '';
}
