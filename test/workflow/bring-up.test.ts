/** A bring-up from nothing, again, and in part: which activities run where, in which order, and what they are given. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { ActivityName } from '../support/nodes.ts';
import { commit, ScriptedCluster, seedSpec } from '../support/nodes.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import type { Handle } from './service.ts';
import { boardOf, childrenOf, eventsOf, Service } from './service.ts';

const observeAndAsk: Partial<Record<ActivityName, number>> = { observeNode: 4, smokeTest: 1 };

jest.setTimeout(60_000);

let service: Service;
let cluster: ScriptedCluster;

beforeAll(async () => {
  service = await Service.open();
  cluster = new ScriptedCluster(seedSpec('whole'));
  await service.serve(cluster);
});

afterAll(async () => {
  await service.stop();
});

/** Run the steps of the cluster from the state that it is in; earlier calls are forgotten. */
async function bringUp(): Promise<{ handle: Handle; report: BringUpReport }> {
  cluster.calls.length = 0;
  const handle = await service.start('bringUpCluster', cluster.spec);
  return { handle, report: (await handle.result()) as BringUpReport };
}

const last = (activity: ActivityName, node?: string): number =>
  Math.max(...of(activity, node).map(({ ended }) => ended ?? Infinity));
const first = (activity: ActivityName, node?: string): number =>
  Math.min(...of(activity, node).map(({ began }) => began));
const of = (activity: ActivityName, node?: string) =>
  cluster.callsOf(activity).filter((call) => node === undefined || call.node === node);

describe('a cluster', () => {
  it('comes up from nothing in the order of the steps, with one lock a class and one commit for all', async () => {
    const { handle, report } = await bringUp();
    expect(cluster.counts).toEqual({
      observeNode: 4,
      resolveLock: 2,
      resolveModel: 1,
      provisionVenv: 4,
      installWheels: 4,
      verifyTorchArch: 4,
      stageModel: 4,
      ensureRay: 4,
      confirmRayNodes: 1,
      launchServer: 1,
      confirmReady: 1,
      watchGangUnit: 3,
      smokeTest: 1,
      confirmRanks: 4,
    });
    expect(await childrenOf(handle)).toEqual(
      cluster.spec.nodes.map(({ id }) => `prepare/${report.run}/${id}`),
    );

    expect(last('observeNode')).toBeLessThan(first('resolveLock'));
    for (const { name } of cluster.spec.nodes) {
      expect(last('resolveLock')).toBeLessThan(first('provisionVenv', name));
      expect(last('provisionVenv', name)).toBeLessThan(first('installWheels', name));
      expect(last('installWheels', name)).toBeLessThan(first('verifyTorchArch', name));
    }
    const head = cluster.spec.head;
    const before = Math.max(last('verifyTorchArch'), last('stageModel'));
    expect(before).toBeLessThan(first('ensureRay'));
    expect(last('ensureRay', head)).toBeLessThan(Math.min(...others(head).map((n) => first('ensureRay', n))));
    expect(last('ensureRay')).toBeLessThan(first('confirmRayNodes'));
    expect(last('confirmRayNodes')).toBeLessThan(first('launchServer'));
    expect(last('launchServer')).toBeLessThan(first('confirmReady'));
    expect(last('confirmReady')).toBeLessThan(first('smokeTest'));

    const hashOf = (node: string) =>
      cluster.inputsOf('installWheels').find((input) => input.node === cluster.node(node).spec.id)?.lock
        .sha256;
    expect(hashOf('spark-ea8e')).toBe(hashOf('spark-4080'));
    expect(hashOf('jetson-thor')).toBe(hashOf('thorx'));
    expect(hashOf('thorx')).not.toBe(hashOf('spark-4080'));
    expect(cluster.inputsOf('stageModel').map((input) => input.commit)).toEqual([
      commit,
      commit,
      commit,
      commit,
    ]);
    expect(report).toMatchObject({
      cluster: 'whole',
      api: { address: '10.0.0.25', port: 5000, open: true },
      answer: { text: 'Hello.', tokens: 2 },
      nodes: [
        { name: 'spark-ea8e', hardware: 'spark' },
        { name: 'spark-4080', hardware: 'spark' },
        { name: 'jetson-thor', hardware: 'thor' },
        { name: 'thorx', hardware: 'thor' },
      ],
    });
    // Two locks; environment, wheels, proof and model of four nodes; four Ray nodes; the engine.
    expect(report.changes).toBe(2 + 4 * 4 + 4 + 1);
    expect(report.phases.map(({ step }) => step)).toEqual([
      'observe',
      'check',
      'lock packages',
      'provision venv',
      'install wheels',
      'verify torch arch',
      'stage model',
      'start head',
      'join workers',
      'verify GPU count',
      'launch server',
      'wait until ready',
      'smoke test',
    ]);
  });

  it('costs one look a node and one question when all is as wanted', async () => {
    for (const node of cluster.nodes) node.facts = { ...node.facts, listeners: ours };
    const { handle, report } = await bringUp();
    expect(report.changes).toBe(0);
    expect(cluster.counts).toEqual(observeAndAsk);
    expect(await childrenOf(handle)).toEqual([]);
    expect((await eventsOf(handle)).length).toBeLessThanOrEqual(12 * cluster.nodes.length);
    const { rows } = await boardOf(handle);
    expect(new Set(rows.map(({ state }) => state))).toEqual(new Set(['unchanged']));
  });

  it('prepares only the node that lacks its environment, with the lock that another of its class holds', async () => {
    const thorx = cluster.node('thorx');
    const held = Object.values(cluster.node('jetson-thor').state.locks);
    thorx.loseEnvironment();
    const { handle, report } = await bringUp();
    expect(cluster.counts).toEqual({
      ...observeAndAsk,
      readLock: 1,
      provisionVenv: 1,
      installWheels: 1,
      verifyTorchArch: 1,
    });
    expect(of('readLock').map(({ node }) => node)).toEqual(['jetson-thor']);
    expect(await childrenOf(handle)).toEqual([`prepare/${report.run}/${thorx.spec.id}`]);
    expect(cluster.inputsOf('installWheels').map(({ node, lock }) => [node, lock.sha256])).toEqual([
      [thorx.spec.id, held[0]],
    ]);
    expect(report.changes).toBe(3);
  });

  it('reports what is not well and does not stand in the way', async () => {
    const thorx = cluster.node('thorx');
    thorx.state = { ...thorx.state, certificates: [{ of: 'node', ends: Date.now() + 86_400_000 }] };
    const { report } = await bringUp();
    expect(report.warnings).toEqual([
      expect.objectContaining({ check: 'certificates', node: 'thorx', remedy: 'windlass up renews it.' }),
    ]);
  });
});

const others = (head: string): string[] =>
  cluster.spec.nodes.map(({ name }) => name).filter((name) => name !== head);

/** The engine of this cluster listens on the port of the API. */
const ours = [
  {
    port: 5000,
    address: '10.0.0.25',
    pid: 100,
    process: 'python',
    user: 'dgx',
    unit: 'windlass-engine-0000000000000000.service',
    userUnit: true,
  },
];
