/** A node whose worker takes no task: the run waits, visibly, and goes on by itself when the node is there. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { boardOf, childrenOf, failureOf, Service, until } from './service.ts';

jest.setTimeout(60_000);

let service: Service;

beforeAll(async () => {
  service = await Service.open({ shortLimits: true });
});

afterAll(async () => {
  await service.stop();
});

it('is named as what the run waits for, and looked for again at once when a person asks', async () => {
  const cluster = new ScriptedCluster(seedSpec('silent'));
  const silent = [cluster.node('thorx'), cluster.node('jetson-thor')];
  await service.serve(
    cluster,
    cluster.nodes.filter((node) => !silent.includes(node)),
  );
  const handle = await service.start('bringUpCluster', cluster.spec);
  const words = async (): Promise<string> => (await boardOf(handle)).waitingFor?.what ?? '';
  const names = (text: string): string[] =>
    [...text.matchAll(/no node worker on (\S+) /g)].map(([, name]) => name ?? '');
  await until('the run waits for both', async () => names(await words()).length === 2);
  const { waitingFor } = await boardOf(handle);
  expect(names(waitingFor?.what ?? '').toSorted()).toEqual(['jetson-thor', 'thorx']);
  expect(waitingFor?.what).toMatch(/no node worker on thorx \(10\.0\.0\.26\) takes its task/);
  const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
  expect(currentDetails).toMatch(/^Waiting for a person since .*no node worker on /);
  expect(cluster.counts).toEqual({ observeNode: 2 });

  await service.serve(cluster, [cluster.node('jetson-thor')]);
  await handle.signal('retryNode', { node: 'jetson-thor' });
  await until('the run waits for one', async () => names(await words()).join() === 'thorx');
  await service.serve(cluster, [cluster.node('thorx')]);
  await handle.signal('retryNode', { node: 'thorx' });
  await handle.result();
  expect(cluster.counts).toMatchObject({ observeNode: 4, smokeTest: 1 });
  expect((await boardOf(handle)).waitingFor).toBeNull();
});

it('does not keep a cancelled run from ending', async () => {
  const cluster = new ScriptedCluster(seedSpec('dead'));
  await service.serve(cluster);
  const install = cluster.faults.hold({ activity: 'installWheels', node: 'thorx' }, 'deaf');
  const handle = await service.start('bringUpCluster', cluster.spec);
  await install.reached;
  await handle.cancel();
  await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  const child = (await childrenOf(handle)).find((id) => id.endsWith(cluster.node('thorx').spec.id));
  const { status } = await service.client.workflow.getHandle(child ?? '').describe();
  expect(status.name).toBe('CANCELLED');
  install.release();
});

/** A run whose Ray is up everywhere, at the launch of its engine; from then on nobody hears from thorx. */
async function silentAtLaunch(name: string) {
  const cluster = new ScriptedCluster(seedSpec(name));
  const thorx = cluster.node('thorx');
  await service.serve(
    cluster,
    cluster.nodes.filter((node) => node !== thorx),
  );
  const itsWorkers = await service.serve(cluster, [thorx]);
  const launch = cluster.faults.hold({ activity: 'launchServer' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  await launch.reached;
  await itsWorkers.stop();
  return { cluster, thorx, launch, handle };
}

it('is waited for where a gang has failed and its part is still to be stopped', async () => {
  const { cluster, thorx, launch, handle } = await silentAtLaunch('gone');
  cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 1, { phase: 'loading weights' });
  launch.release();
  await until('the run waits', async () => {
    const { waitingFor } = await boardOf(handle);
    return /no node worker on thorx .* takes its task/.test(waitingFor?.what ?? '');
  });
  expect(cluster.callsOf('stopGangUnits').map(({ node }) => node)).not.toContain('thorx');
  expect(cluster.callsOf('stopGangUnits')).toHaveLength(3);
  await service.serve(cluster, [thorx]);
  await handle.signal('retryNode');
  await handle.result();
  expect(cluster.counts).toMatchObject({ stopGangUnits: 4, launchServer: 2, smokeTest: 1 });
});

it('is told by a run that is cancelled and cannot stop what it has started there', async () => {
  const { cluster, handle } = await silentAtLaunch('left');
  await handle.cancel();
  expect(await failureOf(handle)).toMatchObject({
    type: 'NODE_WORKER_SILENT',
    details: [{ node: 'thorx', step: 'stop old gang' }],
  });
  expect(cluster.callsOf('stopGangUnits').map(({ node }) => node)).toHaveLength(3);
});

it('is told by a tear-down, which has stopped all others', async () => {
  const cluster = new ScriptedCluster(seedSpec('half-gone'));
  await service.serve(
    cluster,
    cluster.nodes.filter((node) => node !== cluster.node('thorx')),
  );
  const handle = await service.start('tearDownCluster', cluster.spec);
  expect(await failureOf(handle)).toMatchObject({
    type: 'NODE_WORKER_SILENT',
    details: [{ node: 'thorx', step: 'stop old gang' }],
  });
  expect(cluster.callsOf('stopGangUnits').map(({ node }) => node)).toHaveLength(3);
});
