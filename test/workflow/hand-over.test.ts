/** A run that was started under another id goes to the id of the cluster, which is its lock. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import type { BringUpReport, TearDownReport } from '../../src/cluster/report.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import type { Handle } from './service.ts';
import { childrenOf, failureOf, Service, until } from './service.ts';

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

const awaitsRun = async (handle: Handle): Promise<boolean> => {
  const { raw } = await handle.describe();
  return (raw.pendingActivities ?? []).some(({ activityType }) => activityType?.name === 'awaitRun');
};

describe('a start under another id', () => {
  it('starts the run of the cluster, and gives its result', async () => {
    const cluster = await serving('handed');
    const typed = await service.start('bringUpCluster', cluster.spec, 'typed-by-hand');
    const report = (await typed.result()) as BringUpReport;
    expect(await childrenOf(typed)).toEqual(['cluster/handed']);
    expect(await service.client.workflow.getHandle('cluster/handed', report.run).result()).toEqual(report);
    expect(cluster.counts).toMatchObject({ launchServer: 1, smokeTest: 1 });
  });

  it('waits for a run with the same spec, in whatever order its keys were typed', async () => {
    const cluster = await serving('shared');
    const install = cluster.faults.hold({ activity: 'installWheels' });
    const first = await service.start('bringUpCluster', cluster.spec);
    await install.reached;
    const reversed = Object.fromEntries(Object.entries(cluster.spec).toReversed());
    const second = await service.start('bringUpCluster', reversed, 'typed-while-it-runs');
    await until('the second start waits for the first', () => awaitsRun(second));
    install.release();
    expect(await second.result()).toEqual(await first.result());
    expect(cluster.counts).toMatchObject({ observeNode: 4, launchServer: 1 });
  });

  it('is refused while a run with another spec is on its way', async () => {
    const cluster = await serving('busy');
    const look = cluster.faults.hold({ activity: 'observeNode' });
    const first = await service.start('bringUpCluster', cluster.spec);
    await look.reached;
    const other = seedSpec('busy', { serving: { port: 5001 } });
    const failure = await failureOf(await service.start('bringUpCluster', other, 'with-another-port'));
    expect(failure.type).toBe('RUN_BUSY');
    expect(failure.message).toContain(
      `cluster/busy already runs with another spec (run ${first.firstExecutionRunId}`,
    );
    const stop = await failureOf(await service.start('tearDownCluster', cluster.spec, 'stop-by-hand'));
    expect(stop.type).toBe('RUN_BUSY');
    look.release();
    await first.result();
  });

  it('of a tear-down goes the same way', async () => {
    const cluster = await serving('stopped');
    const typed = await service.start('tearDownCluster', cluster.spec, 'tear-down-by-hand');
    expect(((await typed.result()) as TearDownReport).changes).toBe(0);
    expect(await childrenOf(typed)).toEqual(['cluster/stopped']);
  });

  it('of a tear-down waits for one that runs', async () => {
    const cluster = await serving('stopping');
    const stop = cluster.faults.hold({ activity: 'stopGangUnits' });
    const first = await service.start('tearDownCluster', cluster.spec);
    await stop.reached;
    const second = await service.start('tearDownCluster', cluster.spec, 'tear-down-again');
    await until('the second start waits for the first', () => awaitsRun(second));
    stop.release();
    expect(await second.result()).toEqual(await first.result());
  });
});
