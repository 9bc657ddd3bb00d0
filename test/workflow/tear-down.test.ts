/** Cancelling a bring-up in the middle of an act, and tearing down what runs. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { Board } from '../../src/cluster/board.ts';
import type { TearDownReport } from '../../src/cluster/report.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { childrenOf, Service } from './service.ts';

jest.setTimeout(60_000);

let service: Service;

beforeAll(async () => {
  service = await Service.open();
});

afterAll(async () => {
  await service.stop();
});

async function serving(name: string): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster(seedSpec(name));
  await service.serve(cluster);
  return cluster;
}

const tearDown = async (cluster: ScriptedCluster) =>
  (await (await service.start('tearDownCluster', cluster.spec)).result()) as TearDownReport;

describe('a bring-up that is cancelled while packages are installed', () => {
  it('ends as cancelled, with the act told and nothing started', async () => {
    const cluster = await serving('cancelled');
    const install = cluster.faults.hold({ activity: 'installWheels', node: 'thorx' }, 'slowly');
    const handle = await service.start('bringUpCluster', cluster.spec);
    await install.reached;
    await handle.cancel();
    await install.cancelled;
    // The cancel has been worked on, since the act was told; its step is not over before the act is.
    const preparing = (await childrenOf(handle)).find((id) => id.endsWith(cluster.node('thorx').spec.id));
    const { rows } = await service.client.workflow.getHandle(preparing ?? '').query<Board>('status');
    expect(rows.find(({ step }) => step === 'install wheels')?.state).toBe('running');
    expect((await handle.describe()).status.name).toBe('RUNNING');
    install.release();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    for (const each of await childrenOf(handle)) {
      const { status } = await service.client.workflow.getHandle(each).describe();
      expect(['CANCELLED', 'COMPLETED']).toContain(status.name);
    }
    expect(cluster.counts).not.toHaveProperty('ensureRay');
  });
});

describe('a tear-down', () => {
  it('stops the head, which holds the engine, before the other nodes, and says what was stopped', async () => {
    const cluster = await serving('served');
    await (await service.start('bringUpCluster', cluster.spec)).result();
    const [ray = '', engine = ''] = cluster.head.units;
    const report = await tearDown(cluster);
    expect(cluster.nodes.flatMap(({ units }) => [...units])).toEqual([]);
    const [head, ...others] = cluster.callsOf('stopGangUnits');
    expect(head?.node).toBe(cluster.spec.head);
    expect(Math.min(...others.map(({ began }) => began))).toBeGreaterThan(head?.ended ?? Infinity);
    expect(report).toMatchObject({ cluster: 'served', changes: 4 });
    expect(report.stopped.map(({ node }) => node)).toEqual(cluster.spec.nodes.map(({ name }) => name));
    expect(report.stopped[0]?.what).toBe(`stopped ${ray}, ${engine}`);
    // Acts that still run are stopped as well. On every node Ray's helpers listen; the head has the API, the ranks'
    // meeting point and Ray itself too.
    const helpers = [6380, 6381, 6382, 6383, 6384, 6385];
    const at = (address: string, ports: number[]) => ports.map((port) => ({ address, port }));
    const asked = new Map(cluster.inputsOf('stopGangUnits').map((input) => [input.node, input]));
    expect(
      cluster.spec.nodes.map(({ id }) => asked.get(id)).map((input) => [input?.what, input?.ports]),
    ).toEqual([
      ['all', at('10.0.0.25', [5000, 28500, 6379, ...helpers])],
      ...['10.0.0.22', '10.0.0.27', '10.0.0.26'].map((address) => ['all', at(address, helpers)]),
    ]);
  });

  it('of nothing changes nothing', async () => {
    const cluster = await serving('bare');
    const report = await tearDown(cluster);
    expect(report.changes).toBe(0);
    expect(report.stopped.map(({ what }) => what)).toEqual(
      Array.from({ length: 4 }, () => 'nothing was running'),
    );
    expect(cluster.counts).toEqual({ stopGangUnits: 4 });
  });
});
