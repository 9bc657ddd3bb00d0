/** B16, the latency of the command line: `--help` and `status` beside a bare Node.js and other programs of its kind. */
import type { Benchmark } from './benchmarks.ts';
import { runRounds } from './pairs.ts';
import { ensureAnsible } from './peers/ansible.ts';
import type { BenchRecord } from './record.ts';
import { atMost, rounded, roundedAll, roundedInterval } from './record.ts';
import { clusterFile, headName, openRig } from './rig.ts';
import { bootstrapInterval, median, pairedRatios } from './statistics.ts';

const bare = 'node -e 0';
const help = 'windlass --help';
const status = 'windlass status';
const temporal = '.local/share/windlass/workers/current/bin/temporal';

export const b16: Benchmark = {
  name: 'B16',
  summary: 'windlass --help and status, beside a bare Node.js',
  run: async ({ log, attachTo, rounds }): Promise<BenchRecord> => {
    await ensureAnsible(log);
    const rig = await openRig(log, attachTo);
    const time = async (file: string, args: readonly string[]): Promise<number> =>
      (await rig.time(file, args)).ms;
    try {
      const measured = await runRounds(
        {
          [bare]: () => time(process.execPath, ['-e', '0']),
          [help]: async () => (await rig.windlass('--help')).ms,
          [status]: async () => (await rig.windlass('status', clusterFile)).ms,
          'ansible --version': () => time('ansible', ['--version']),
          'temporal workflow list over ssh': () =>
            time('ssh', [headName, `${temporal} workflow list --namespace windlass`]),
          'ssh HEAD true': () => time('ssh', [headName, 'true']),
        },
        { ours: help, log, ...(rounds !== undefined && { atMost: rounds }) },
      );
      const toBare = (name: string): number[] =>
        pairedRatios(measured.times[name] ?? [], measured.times[bare] ?? []);
      const bars = [
        atMost(`${help} ÷ ${bare}`, 1.8, median(toBare(help))),
        atMost(`${status} ÷ ${bare}`, 6, median(toBare(status))),
      ];
      const peers = ['ansible --version', 'temporal workflow list over ssh', 'ssh HEAD true'];
      return {
        bench: 'B16',
        value: rounded(measured.medians[help] ?? Number.NaN),
        unit: 'ms',
        peers: roundedAll(
          Object.fromEntries(peers.map((name) => [name, measured.medians[name] ?? Number.NaN])),
        ),
        limit: rounded(measured.medians[bare] ?? Number.NaN),
        // `ansible --version` is the peer of --help: both only say something about themselves.
        ratioToBestPeer: rounded(
          median(pairedRatios(measured.times['ansible --version'] ?? [], measured.times[help] ?? [])),
        ),
        ratioToLimit: rounded(median(toBare(help))),
        n: rig.nodes.length,
        repetitions: measured.kept,
        variation: rounded(measured.variation),
        valid: measured.reasons.length === 0,
        bar: bars,
        pass: bars.every(({ pass }) => pass),
        details: {
          reasons: measured.reasons,
          tried: measured.tried,
          cpu: rounded(measured.cpu),
          statusMs: rounded(measured.medians[status] ?? Number.NaN),
          helpToBare: roundedInterval(bootstrapInterval(toBare(help))),
          statusToBare: roundedInterval(bootstrapInterval(toBare(status))),
        },
      };
    } finally {
      await rig.close();
    }
  },
};
