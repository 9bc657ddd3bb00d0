/** F. A cluster with a keeper: nobody runs any command after the harm, and it serves again. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import type { KeeperStatus } from '../../../src/cluster/keeper.ts';
import type { Host } from '../../lab/host.ts';
import { sendSignal } from '../../lab/processes.ts';
import { until } from '../../lab/run.ts';
import type { Fault } from '../fault.ts';
import { gangOf, rankOf } from '../gang.ts';
import { complete } from '../judge/ready.ts';
import { otherVersion } from '../other-version.ts';
import { linesOf, processesOf, type Scene } from '../scene.ts';
import { variantOf } from '../variant.ts';

interface KeptStatus {
  readonly status: string;
  readonly keeper: KeeperStatus | null;
}

/** Null while the home is away. */
async function statusOf(scene: Scene, path: string): Promise<KeptStatus | null> {
  const { exit, stdout } = await scene.run(['status', path, '--json']);
  return exit === 0 ? (JSON.parse(stdout) as KeptStatus) : null;
}

interface Harm {
  readonly id: string;
  readonly step: string;
  readonly title: string;
  readonly harm: (scene: Scene) => Promise<void>;
  /** The node that the keeper names. */
  readonly node: string;
  /** Seconds from the harm until the cluster serves again. */
  readonly seconds: number;
}

const keptFile = (scene: Scene): Promise<string> =>
  variantOf(scene, 'keeper: { enabled: false }', 'keeper: { enabled: true }');

const kept = ({ id, step, title, harm, node, seconds }: Harm): Fault => ({
  id,
  group: 'F',
  step,
  title,
  invariants: ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'],
  start: 'serving',
  inject: async (scene) => {
    const path = await keptFile(scene);
    await scene.demand(['up', path, '--json']);
    await harm(scene);
    await until(
      'the keeper has brought the cluster back',
      async () => {
        const status = await statusOf(scene, path);
        return status?.keeper?.state === 'watches' && typeof status.keeper.last?.servesAt === 'number';
      },
      { seconds, everyMs: 1_000 },
    );
    return scene.start(['status', path, '--json']);
  },
  expect: { exit: 0, within: 15 },
  judge: async (scene, { stdout }) => {
    const { status, keeper } = JSON.parse(stdout) as KeptStatus;
    equal(status, 'ready');
    ok(keeper?.last?.what.includes(node) ?? false, `the lost node is named: ${stdout}`);
    const launched = await linesOf(scene.head, 'launch server', scene.since);
    // The old one has ended, and says so.
    equal(launched.filter(({ what }) => what === 'began').length, 1, 'the gang was started once');
    equal(await complete(scene), '');
  },
});

const rankKilled: Harm = {
  id: 'F70',
  step: 'kept',
  title: 'A rank is killed while the keeper watches, and rank 0 still answers health',
  harm: async ({ worker }) => void process.kill((await rankOf(worker)).pid, 'SIGKILL'),
  node: 'jetson-thor',
  seconds: 240,
};

/** The keeper was begun by the version of before, and repairs by the one that has taken its place. */
const upgraded: Harm = {
  ...rankKilled,
  id: 'F97',
  title: 'Another version of windlass is placed while the keeper watches, and then a rank is killed',
  harm: async (scene) => {
    const before = await gangOf(scene);
    const { exit, stdout } = await scene.start(['up', await keptFile(scene), '--json'], await otherVersion())
      .ended;
    equal(exit, 0, stdout);
    deepEqual(await gangOf(scene), before, 'what serves goes on');
    await rankKilled.harm(scene);
  },
};

/** Kill the one process of Ray's units on a host that has this file. */
async function killDaemon(host: Host, file: string): Promise<void> {
  const units = await processesOf(host, /windlass-ray-/);
  const daemons = units.filter(({ commandLine: [program = ''] }) => program.endsWith(file));
  equal(daemons.length, 1, `one ${file} runs`);
  for (const { pid } of daemons) sendSignal(pid, 'SIGKILL');
}

const rayletKilled: Harm = {
  id: 'F90',
  step: 'kept',
  title: 'A raylet is killed while the keeper watches',
  harm: async ({ worker }) => killDaemon(worker, '/raylet'),
  node: 'jetson-thor',
  seconds: 240,
};

const gcsKilled: Harm = {
  id: 'F91',
  step: 'kept',
  title: 'The GCS of Ray is killed while the keeper watches',
  harm: async ({ head }) => killDaemon(head, '/gcs_server'),
  node: 'spark-ea8e',
  seconds: 240,
};

const nodeReboots: Harm = {
  id: 'F48',
  step: 'kept',
  title: 'Node loses power while the keeper watches, and is back',
  harm: (scene) => scene.worker.reboot(),
  node: 'jetson-thor',
  seconds: 360,
};

/** The server goes on accepting connections, and answers nobody. */
const rankHangs: Harm = {
  id: 'F100',
  step: 'kept',
  title: 'A rank hangs while the keeper watches, and all processes live',
  harm: async ({ worker }) => void process.kill((await rankOf(worker)).pid, 'SIGSTOP'),
  node: 'spark-ea8e',
  // A question is asked each minute, and late after two.
  seconds: 300,
};

export const keptFaults: readonly Fault[] = [
  rankKilled,
  upgraded,
  rayletKilled,
  gcsKilled,
  rankHangs,
  nodeReboots,
].map(kept);
