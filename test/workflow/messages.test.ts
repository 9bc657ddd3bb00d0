/** What a run tells while it runs and afterwards: its table, its page in the Temporal UI, and how to talk to it. */
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { ClusterSpec } from '../../src/config/schema.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { boardOf, Service, until } from './service.ts';

interface Described {
  readonly name: string;
  readonly description: string;
}
interface Metadata {
  readonly definition: {
    readonly queryDefinitions: readonly Described[];
    readonly signalDefinitions: readonly Described[];
  };
  readonly currentDetails: string;
}

jest.setTimeout(60_000);

let service: Service;

beforeAll(async () => {
  service = await Service.open();
});

afterAll(async () => {
  await service.stop();
});

it('shows its table at any time: while packages are installed, while it waits, and when it is done', async () => {
  const cluster = new ScriptedCluster(seedSpec('shown'));
  await service.serve(cluster);
  const install = cluster.faults.hold({ activity: 'installWheels', node: 'thorx' });
  const ready = cluster.faults.hold({ activity: 'confirmReady' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  await install.reached;
  const stateOf = async (node: string, step: string) =>
    (await boardOf(handle)).rows.find((row) => row.node === node && row.step === step)?.state;
  // Steps of a child reach its parent by signals.
  await until(
    'the table shows the install',
    async () => (await stateOf('thorx', 'install wheels')) === 'running',
  );
  expect(await stateOf('thorx', 'provision venv')).toBe('done');
  expect(await stateOf('thorx', 'observe')).toBe('unchanged');
  expect(await stateOf('thorx', 'verify torch arch')).toBeUndefined();
  install.release();
  await ready.reached;
  expect(await stateOf('spark-ea8e', 'wait until ready')).toBe('running');
  expect(await stateOf('thorx', 'join workers')).toBe('done');
  ready.release();
  await handle.result();
  const board = await boardOf(handle);
  expect(board).toMatchObject({ cluster: 'shown', run: handle.firstExecutionRunId, waitingFor: null });
  expect(board.rows.filter(({ state }) => state !== 'done' && state !== 'unchanged')).toEqual([]);
  expect(board.rows).toContainEqual(
    expect.objectContaining({ step: 'wait until ready', note: 'loading weights 1.5 s, ready 0 s' }),
  );
  expect(await handle.query<ClusterSpec>('spec')).toEqual(cluster.spec);

  const { currentDetails, definition } = await handle.query<Metadata>('__temporal_workflow_metadata');
  const rows = currentDetails.split('\n').filter((line) => line.startsWith('|'));
  expect(rows[0]).toMatch(/^\| node \| observe \| check \| .* \| smoke test \|$/);
  expect(rows.slice(2).map((line) => line.split(' | ')[0])).toEqual([
    ...cluster.spec.nodes.map(({ name }) => `| ${name}`),
    '| shown',
  ]);
  expect(rows[2]).toMatch(/✓ [0-9.]+ s/);
  const described = [...definition.queryDefinitions, ...definition.signalDefinitions].filter(
    ({ name }) => !name.startsWith('__'),
  );
  expect(described.map(({ name }) => name).toSorted()).toEqual([
    'approve',
    'cancel',
    'retryNode',
    'spec',
    'status',
    'stepReported',
  ]);
  for (const { description } of described) expect(description).toMatch(/\w/);
});
