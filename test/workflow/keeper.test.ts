/** The keeper: a serving gang that is lost is started again as one, until that is in vain. */
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { KeeperStatus, ServingGang } from '../../src/cluster/keeper.ts';
import { clusterWorkflowId, keeperWorkflowId } from '../../src/cluster/names.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import { answerRun } from '../../src/temporal/answers.ts';
import type { AskedKeeper } from '../../src/temporal/keeper.ts';
import { askKeeper } from '../../src/temporal/keeper.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { facts, listener } from '../unit/checks/cluster.ts';
import type { Handle } from './service.ts';
import { eventsOf, failureOf, Service, until } from './service.ts';

interface Described {
  readonly name: string;
  readonly description?: string;
}
interface Metadata {
  readonly definition: {
    readonly queryDefinitions: readonly Described[];
    readonly signalDefinitions: readonly Described[];
  };
}

jest.setTimeout(60_000);

let service: Service;
let cluster: ScriptedCluster;
let clusters = 0;

// Each test has a cluster of its own, whose keeper ends with the namespace.
beforeEach(async () => {
  service = await Service.open();
  await serveKept();
});

afterEach(async () => {
  await service.stop();
});

async function serveKept(): Promise<void> {
  cluster = new ScriptedCluster(seedSpec(`kept-${(clusters += 1)}`, { keeper: { enabled: true } }));
  cluster.head.facts = { ...cluster.head.facts, listeners: [...(facts().listeners ?? []), api] };
  await service.serve(cluster);
}

const api = listener({ port: 5000, address: '10.0.0.25', unit: 'windlass-engine-0000000000000000.service' });
const names = (): string[] => cluster.spec.nodes.map(({ name }) => name);
const running = (): string[] => cluster.nodes.flatMap(({ units }) => [...units]);
const start = () => service.start('bringUpCluster', cluster.spec);
const bringUp = async () => (await (await start()).result()) as BringUpReport;
const keeper = () => service.client.workflow.getHandle(keeperWorkflowId(cluster.spec.name));
const asked = async (): Promise<AskedKeeper | null> => askKeeper(service.client, cluster.spec.name);
const inState = (state: KeeperStatus['state'], also: (status: AskedKeeper) => boolean = () => true) =>
  until(`the keeper ${state}`, async () => {
    const status = await asked();
    return status?.state === state && also(status);
  });
const watched = () => cluster.callsOf('watchRank').filter(({ ended }) => ended === null).length;
const allWatched = () => until('all ranks are watched', () => watched() === 4);

/** Lose the rank of a node, as often as said, each time when all are watched. */
async function lose(node: string, times = 1): Promise<void> {
  for (let count = 0; count < times; count += 1) {
    await allWatched();
    const starts = cluster.callsOf('launchServer').length;
    cluster.node(node).rankLives = false;
    if (count < times - 1)
      await until('it is launched again', () => cluster.callsOf('launchServer').length > starts);
  }
}

/** The stages of a repair, in their order: all is stopped before anything is started. */
function expectStartedAsOne(since: number): void {
  const of = (activity: 'stopGangUnits' | 'ensureRay') =>
    cluster.callsOf(activity).filter(({ began }) => began > since);
  expect(
    of('stopGangUnits')
      .map(({ node }) => node)
      .toSorted(),
  ).toEqual(names().toSorted());
  expect(
    of('ensureRay')
      .map(({ node }) => node)
      .toSorted(),
  ).toEqual(names().toSorted());
  expect(Math.max(...of('stopGangUnits').map(({ ended }) => ended ?? Infinity))).toBeLessThan(
    Math.min(...of('ensureRay').map(({ began }) => began)),
  );
}

describe('a cluster that serves', () => {
  it('is watched on every node, and by one keeper however often it is brought up', async () => {
    const first = await bringUp();
    expect(first.keeper).toBe(`keeper/${cluster.spec.name}`);
    await allWatched();
    const { runId } = await keeper().describe();
    expect((await bringUp()).keeper).toBe(first.keeper);
    expect((await keeper().describe()).runId).toBe(runId);
    expect(cluster.counts).toMatchObject({ watchRank: 4, watchServer: 1 });
    expect(await asked()).toMatchObject({ state: 'watches', last: null, waitingFor: null });
    const inputs = cluster.inputsOf('watchServer');
    expect(inputs).toMatchObject([{ address: '10.0.0.25', port: 5000, withApiKey: false }]);
    expect(await keeper().query('spec')).toEqual(cluster.spec);
    const { definition } = await keeper().query<Metadata>('__temporal_workflow_metadata');
    const messages = [...definition.queryDefinitions, ...definition.signalDefinitions];
    expect(messages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['status', 'spec', 'serving', 'retryNode', 'cancel']),
    );
    expect(messages.filter(({ description = '' }) => description.length < 10)).toEqual([]);
  });

  it('is started again as one when a rank dies, with no command', async () => {
    await bringUp();
    await allWatched();
    const before = Math.max(...cluster.calls.map(({ began }) => began));
    const diedAt = Date.now();
    await lose('thorx');
    await until('a repair begins', () => cluster.callsOf('observeNode').length > 4);
    const noticedMs = Date.now() - diedAt;
    await inState('watches', ({ last }) => last?.servesAt !== null && last !== null);
    await allWatched();
    expectStartedAsOne(before);
    expect(running()).toHaveLength(5);
    const status = await asked();
    expect(status?.last?.what).toMatch(/^thorx · watch rank: 0 of 1 ranks run .*\(RANK_MISSING\)$/);
    expect(noticedMs).toBeLessThan(5_000);
  });

  it('is started again when its engine ends', async () => {
    await bringUp();
    await allWatched();
    for (const unit of cluster.head.units) if (unit.includes('engine')) cluster.head.units.delete(unit);
    await inState('watches', ({ last }) => typeof last?.servesAt === 'number');
    expect((await asked())?.last?.what).toMatch(/ENGINE_EXITED|RANK_MISSING/);
    expect(running()).toHaveLength(5);
  });

  it('is started again as one when its server hangs with all ranks alive, and not asked once more', async () => {
    await bringUp();
    await allWatched();
    const before = Math.max(...cluster.calls.map(({ began }) => began));
    cluster.head.hangs = true;
    await inState('watches', ({ last }) => typeof last?.servesAt === 'number');
    expectStartedAsOne(before);
    expect(cluster.counts).toMatchObject({ launchServer: 2, smokeTest: 2 });
    expect((await asked())?.last?.what).toMatch(
      /^spark-\w+ · watch server: the engine is stuck while serving: no answer \(ENGINE_STUCK\)$/,
    );
  });

  it('is watched by nobody where the cluster file says so, also when a keeper was there', async () => {
    await bringUp();
    await allWatched();
    const off = { ...cluster.spec, keeper: { enabled: false } };
    const report = (await (await service.start('bringUpCluster', off)).result()) as BringUpReport;
    expect(report.keeper).toBeNull();
    await until('the keeper has ended', async () => (await asked()) === null);
    expect(running()).toHaveLength(5);
  });
});

describe('a gang that is lost again and again', () => {
  it('is stopped the third time, and started again when a person says so', async () => {
    await bringUp();
    await lose('thorx', 3);
    await inState('circuit open', ({ waitingFor }) => waitingFor !== null);
    expect(running()).toEqual([]);
    const waitingFor = (await asked())?.waitingFor;
    expect(waitingFor?.node).toBe('thorx');
    expect(waitingFor?.what).toMatch(/three times within an hour: thorx · watch rank: .*RANK_MISSING/);
    for (const command of ['retry', 'up', 'down'])
      expect(waitingFor?.what).toContain(`windlass ${command} FILE`);
    const metadata = await keeper().query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(metadata.currentDetails).toContain('windlass retry FILE');
    expect(cluster.counts).toMatchObject({ launchServer: 3 });

    expect(await answerRun(service.client, cluster.spec.name, 'retry')).toHaveLength(1);
    await inState('watches');
    await allWatched();
    expect(running()).toHaveLength(5);
    // What came before counts no more.
    await lose('thorx');
    await inState('watches', ({ last }) => typeof last?.servesAt === 'number');
  });

  it('in different ways is started again', async () => {
    await bringUp();
    await lose('thorx', 2);
    await until('it serves again', () => cluster.callsOf('launchServer').length === 3);
    await lose('jetson-thor');
    await until('it serves again', () => cluster.callsOf('launchServer').length === 4);
    await inState('watches');
  });

  it('is told, when its repair fails, with what failed; an up that ends well is enough', async () => {
    await bringUp();
    await allWatched();
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 3, { phase: 'loading weights' });
    await lose('thorx');
    await inState('circuit open', ({ waitingFor }) => waitingFor !== null);
    expect((await asked())?.waitingFor?.what).toMatch(/its repair failed: spark-ea8e · wait until ready: /);
    expect(cluster.counts).toMatchObject({ launchServer: 4 });
    expect(running()).toEqual([]);
    await bringUp();
    await inState('watches', ({ waitingFor }) => waitingFor === null);
    await allWatched();
  });
});

describe('a repair that fails before it comes to the gang', () => {
  it('leaves nothing of a broken one, which would hold memory and keep clients waiting', async () => {
    await bringUp();
    await allWatched();
    cluster.faults.fail({ activity: 'observeNode', node: 'spark-4080' }, 'POLICY');
    await lose('thorx');
    await inState('circuit open', ({ waitingFor }) => waitingFor !== null);
    expect((await asked())?.waitingFor?.what).toMatch(/its repair failed: spark-4080 · observe: .*POLICY/);
    expect(running()).toEqual([]);
  });

  it('leaves one that nobody has seen broken', async () => {
    const watch = cluster.faults.hold({ activity: 'watchRank', node: 'thorx' });
    await bringUp();
    await watch.reached;
    for (const activity of ['watchRank', 'observeNode'] as const)
      cluster.faults.fail({ activity, node: 'thorx' }, 'POLICY');
    watch.release();
    await inState('circuit open', ({ waitingFor }) => waitingFor !== null);
    expect(running()).toHaveLength(5);
  });
});

describe('a keeper beside a run of an operator’s', () => {
  it('does not compete with it, and watches what it leaves serving', async () => {
    await bringUp();
    await allWatched();
    const observe = cluster.faults.hold({ activity: 'observeNode', node: 'spark-4080' });
    const handle = await start();
    await observe.reached;
    cluster.node('thorx').rankLives = false;
    await inState('waits for another run');
    observe.release();
    await handle.result();
    await inState('watches', ({ last }) => typeof last?.servesAt === 'number');
    await allWatched();
    expect(running()).toHaveLength(5);
  });

  it('stands by when that run is cancelled, and says so', async () => {
    await bringUp();
    await allWatched();
    const observe = cluster.faults.hold({ activity: 'observeNode', node: 'spark-4080' });
    const handle = await start();
    await observe.reached;
    cluster.node('thorx').rankLives = false;
    await inState('waits for another run');
    await handle.signal('cancel');
    expect((await failureOf(handle)).type).toBe('RUN_CANCELLED');
    await inState('stands by');
    await bringUp();
    await inState('watches');
  });

  it('is ended first when the cluster is torn down', async () => {
    await bringUp();
    await allWatched();
    const handle = await service.start('tearDownCluster', cluster.spec);
    await handle.result();
    expect((await keeper().describe()).status.name).toBe('CANCELLED');
    expect(running()).toEqual([]);
    expect(cluster.counts).toMatchObject({ launchServer: 1 });
    // Without a keeper it ends just as well.
    await (await service.start('tearDownCluster', cluster.spec)).result();
  });

  it('that is ended in the middle of a repair leaves that run to itself', async () => {
    await bringUp();
    await allWatched();
    const observe = cluster.faults.hold({ activity: 'observeNode', node: 'spark-4080' });
    await lose('thorx');
    await observe.reached;
    const first = keeper();
    const { runId } = await first.describe();
    await first.cancel();
    await until('the keeper has ended', async () => (await asked()) === null);
    const run = service.client.workflow.getHandle(clusterWorkflowId(cluster.spec.name));
    expect((await run.describe()).status.name).toBe('RUNNING');
    observe.release();
    await run.result();
    // What serves again is kept again.
    await inState('watches');
    expect((await keeper().describe()).runId).not.toBe(runId);
  });

  it('ends by its signal too, and leaves what serves', async () => {
    await bringUp();
    await keeper().signal('cancel');
    await until('the keeper has ended', async () => (await asked()) === null);
    expect(running()).toHaveLength(5);
  });
});

/** The gang of which the keeper was told last. */
async function toldLast(): Promise<ServingGang> {
  const told = (await eventsOf(keeper() as Handle)).flatMap(
    ({ workflowExecutionSignaledEventAttributes: signaled }) =>
      signaled?.signalName === 'serving' ? [signaled.input?.payloads?.[0]?.data] : [],
  );
  return JSON.parse(Buffer.from(told.at(-1) ?? []).toString()) as ServingGang;
}

it('begins a new history before the old one is long, and forgets nothing', async () => {
  await bringUp();
  await lose('thorx');
  await inState('watches', ({ last }) => typeof last?.servesAt === 'number');
  await allWatched();
  const before = await asked();
  const { runId } = await keeper().describe();
  const serving = await toldLast();
  for (let sent = 0; sent < 500; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, () => keeper().signal('serving', serving)));
  }
  await until('a new history', async () => (await keeper().describe()).runId !== runId);
  expect(await asked()).toMatchObject({ last: before?.last, since: before?.since });
  await until('the new one watches', () => cluster.callsOf('watchRank').length >= 12);
  await lose('jetson-thor');
  await inState(
    'watches',
    ({ last }) => last?.what.startsWith('jetson-thor') === true && last.servesAt !== null,
  );
  expect(running()).toHaveLength(5);
});

it('begins a new history with the gang that it was told of last', async () => {
  await bringUp();
  // The first keeper has its gang from its start, and hears of it from each run after that.
  await bringUp();
  await allWatched();
  const serving = await toldLast();
  const another = { ...serving, spec: { ...serving.spec, serving: { ...serving.spec.serving, port: 5001 } } };
  const observe = cluster.faults.hold({ activity: 'observeNode', node: 'spark-4080' });
  const { runId } = await keeper().describe();
  cluster.node('thorx').rankLives = false;
  await observe.reached;
  for (let sent = 0; sent < 500; sent += 50) {
    await Promise.all(Array.from({ length: 50 }, () => keeper().signal('serving', another)));
  }
  // Nothing comes of the repair, so that nobody else tells of a gang.
  await service.client.workflow.getHandle(clusterWorkflowId(cluster.spec.name)).signal('cancel');
  await until('a new history', async () => (await keeper().describe()).runId !== runId);
  expect(await keeper().query('spec')).toEqual(another.spec);
});

it('stands by where a person cancels the stop of a server that hangs', async () => {
  await bringUp();
  await allWatched();
  const stop = cluster.faults.hold({ activity: 'stopGangUnits' });
  cluster.head.hangs = true;
  await stop.reached;
  await service.client.workflow.getHandle(clusterWorkflowId(cluster.spec.name)).cancel();
  stop.release();
  await inState('stands by');
});

it('takes a node without a sign of life for lost; what serves on despite it is not counted', async () => {
  await service.stop();
  service = await Service.open({ shortLimits: true });
  await serveKept();
  const watch = cluster.faults.hold({ activity: 'watchRank', node: 'thorx' }, 'deaf');
  const first = await bringUp();
  const onThorx = () => cluster.callsOf('watchRank').filter(({ node }) => node === 'thorx').length;
  await until('it was given up five times', () => onThorx() === 5);
  const status = await asked();
  expect(status?.state).not.toBe('circuit open');
  expect(status?.last?.what).toMatch(
    /^thorx · watch rank: no node worker on thorx .*\(NODE_WORKER_SILENT\)$/,
  );
  watch.release();
  await allWatched();
  expect(cluster.counts).toMatchObject({ launchServer: 1 });
  expect(first.changes).toBeGreaterThan(0);
});
