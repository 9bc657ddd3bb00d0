/** From Ray on the ranks are one: whatever fails, all are stopped and started together, or stay stopped. */
import { afterAll, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { BringUpReport } from '../../src/cluster/report.ts';
import type { ActivityName, ScriptedNode } from '../support/nodes.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import type { Handle } from './service.ts';
import { eventsOf, failureOf, Service } from './service.ts';

jest.setTimeout(60_000);

/** EVENT_TYPE_WORKFLOW_TASK_FAILED */
const taskFailed = 9;

let service: Service;
let cluster: ScriptedCluster;

beforeAll(async () => {
  service = await Service.open();
  cluster = new ScriptedCluster(seedSpec('gang'));
  await service.serve(cluster);
  await (await service.start('bringUpCluster', cluster.spec)).result();
});

afterAll(async () => {
  await service.stop();
});

/** All is prepared and nothing runs. */
beforeEach(() => {
  for (const { units } of cluster.nodes) units.clear();
  cluster.calls.length = 0;
});

const start = (): Promise<Handle> => service.start('bringUpCluster', cluster.spec);
const bringUp = async () => (await (await start()).result()) as BringUpReport;
const nodesOf = (activity: ActivityName): string[] => cluster.callsOf(activity).map(({ node }) => node);
const names = (): string[] => cluster.spec.nodes.map(({ name }) => name);
const generations = (activity: 'ensureRay' | 'launchServer'): string[] => [
  ...new Set(cluster.inputsOf(activity).map(({ generation }) => generation)),
];
const running = (nodes: readonly ScriptedNode[] = cluster.nodes): string[] =>
  nodes.flatMap(({ units }) => [...units]);

/** All ranks were stopped, as often as said, and run again. */
function expectRestarts(run: string, times: number): void {
  expect(nodesOf('stopGangUnits').toSorted()).toEqual(Array.from({ length: times }, names).flat().toSorted());
  expect(generations('ensureRay')).toEqual(
    Array.from({ length: times + 1 }, (_each, at) => `${run}/${at + 1}`),
  );
  expect(running()).toHaveLength(5);
}

describe('a failure of one rank', () => {
  it('stops all ranks and starts them again under another generation', async () => {
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'RAY_FAILED');
    const { run } = await bringUp();
    expectRestarts(run, 1);
    // The head is stopped first, and everything is gone before the next start.
    expect(nodesOf('stopGangUnits')[0]).toBe('spark-ea8e');
    // Before the next start the ports of this one are proven free, at the addresses that the gang listens on.
    const ports = cluster.inputsOf('stopGangUnits').map((input) => input.ports.map(({ port }) => port));
    expect(ports.map((each) => each.length)).toEqual([9, 6, 6, 6]);
    expect(ports[0]).toEqual(expect.arrayContaining([5000, 28500, 6379]));
    const stopped = Math.max(...cluster.callsOf('stopGangUnits').map(({ ended }) => ended ?? Infinity));
    const again = cluster.callsOf('ensureRay').filter(({ began }) => began > stopped);
    expect(again.map(({ node }) => node).toSorted()).toEqual(names().toSorted());
  });

  it('ends the run with its code after three starts, and leaves nothing running', async () => {
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'RAY_FAILED', 3);
    const failure = await failureOf(await start());
    expect(failure).toMatchObject({
      type: 'RAY_FAILED',
      details: [{ node: 'thorx', step: 'join workers' }],
    });
    expect(generations('ensureRay')).toHaveLength(3);
    expect(running()).toEqual([]);
    expect(cluster.counts).toMatchObject({ stopGangUnits: 12 });
  });

  it('counts while the engine gets ready', async () => {
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 1, { phase: 'loading weights' });
    const { run } = await bringUp();
    expectRestarts(run, 1);
    expect(generations('launchServer')).toEqual([`${run}/1`, `${run}/2`]);
  });

  it('ends the run after three engines that exited', async () => {
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 3);
    expect((await failureOf(await start())).type).toBe('ENGINE_EXITED');
    expect(generations('launchServer')).toHaveLength(3);
    expect(running()).toEqual([]);
  });

  it('counts with its equals only: machines that lose power one after the other are no sign of a gang that cannot', async () => {
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'RAY_FAILED', 2);
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 2);
    const { run } = await bringUp();
    expectRestarts(run, 4);
  });

  it('is seen on its own node while the head waits without end', async () => {
    const ready = cluster.faults.hold({ activity: 'confirmReady' });
    const handle = await start();
    await ready.reached;
    cluster.node('jetson-thor').units.clear();
    await ready.cancelled;
    const { run } = (await handle.result()) as BringUpReport;
    expectRestarts(run, 1);
  });

  it('is met by another start only when nobody watches the one before any longer', async () => {
    const ready = cluster.faults.hold({ activity: 'confirmReady' });
    const watch = cluster.faults.hold({ activity: 'watchGangUnit', node: 'thorx' }, 'slowly');
    const handle = await start();
    await Promise.all([ready.reached, watch.reached]);
    cluster.node('jetson-thor').units.clear();
    await Promise.all([ready.cancelled, watch.cancelled]);
    expect(cluster.counts).not.toHaveProperty('stopGangUnits');
    watch.release();
    const { run } = (await handle.result()) as BringUpReport;
    expectRestarts(run, 1);
    // Two activities of one id at once would fail a workflow task, and hold the run up until the first one is over.
    expect((await eventsOf(handle)).filter(({ eventType }) => Number(eventType) === taskFailed)).toEqual([]);
  });

  it('counts when its process is not there after the answer', async () => {
    cluster.faults.fail({ activity: 'confirmRanks', node: 'thorx' }, 'RANK_MISSING');
    const { run, nodes } = await bringUp();
    expectRestarts(run, 1);
    expect(nodes.map(({ name, ranks }) => [name, ranks])).toEqual(names().map((name) => [name, 1]));
  });

  it('is seen on its own node while the server is asked and does not answer', async () => {
    const answer = cluster.faults.hold({ activity: 'smokeTest' });
    const result = bringUp();
    await answer.reached;
    cluster.node('thorx').rankLives = false;
    expectRestarts((await result).run, 1);
    // The second start answered at once, and nobody watched it.
    expect(cluster.counts).toMatchObject({ smokeTest: 2, watchRank: 4 });
  });

  it('is seen by the first look at a gang that serves, and all ranks are started again as one', async () => {
    await bringUp();
    cluster.head.facts = { ...cluster.head.facts, listeners: [listening] };
    cluster.node('jetson-thor').rankLives = false;
    cluster.calls.length = 0;
    const { run, changes } = await bringUp();
    expect(changes).toBeGreaterThan(0);
    expect(nodesOf('stopGangUnits').toSorted()).toEqual(names().toSorted());
    const stopped = Math.max(...cluster.callsOf('stopGangUnits').map(({ ended }) => ended ?? Infinity));
    expect(stopped).toBeLessThan(Math.min(...cluster.callsOf('ensureRay').map(({ began }) => began)));
    expect(generations('ensureRay')).toEqual([`${run}/1`]);
    expect(running()).toHaveLength(5);
  });

  it('goes on serving on a Ray that could take in nothing new, and is started again as one when it ends', async () => {
    await bringUp();
    cluster.head.facts = { ...cluster.head.facts, listeners: [listening] };
    cluster.node('jetson-thor').unitsLost = 'session';
    cluster.calls.length = 0;
    expect((await bringUp()).changes).toBe(0);
    expect(nodesOf('stopGangUnits')).toEqual([]);
    cluster.head.facts = { ...cluster.head.facts, listeners: [] };
    const { run } = await bringUp();
    expect(nodesOf('stopGangUnits').toSorted()).toEqual(names().toSorted());
    expect(generations('ensureRay')).toEqual([`${run}/1`]);
    expect(running()).toHaveLength(5);
  });

  it.each(['files', 'daemon'] as const)('is started again as one where Ray has lost its %s', async (lost) => {
    await bringUp();
    cluster.node('jetson-thor').unitsLost = lost;
    cluster.calls.length = 0;
    const { run } = await bringUp();
    expect(nodesOf('stopGangUnits').toSorted()).toEqual(names().toSorted());
    expect(generations('ensureRay')).toEqual([`${run}/1`]);
    expect(running()).toHaveLength(5);
  });

  it('is not met by another start where that cannot help', async () => {
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_REFUSED', 1, { evidence: '--tp-szie' });
    const failure = await failureOf(await start());
    expect(failure).toMatchObject({ type: 'ENGINE_REFUSED', details: [{ node: 'spark-ea8e' }] });
    expect(nodesOf('stopGangUnits').toSorted()).toEqual(names().toSorted());
    expect(cluster.counts).toMatchObject({ launchServer: 1 });
    expect(running()).toEqual([]);
  });
});

describe('a run that is cancelled', () => {
  const cancelledBy = { cause: { name: 'CancelledFailure' } };

  it('stops the ranks that it has started, and ends as cancelled', async () => {
    const ready = cluster.faults.hold({ activity: 'confirmReady' });
    const handle = await start();
    await ready.reached;
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject(cancelledBy);
    expect(nodesOf('stopGangUnits').toSorted()).toEqual(names().toSorted());
    expect(running()).toEqual([]);
  });

  it('leaves alone what it has found serving', async () => {
    await bringUp();
    cluster.head.facts = { ...cluster.head.facts, listeners: [listening] };
    const wanted = running();
    cluster.calls.length = 0;
    const ask = cluster.faults.hold({ activity: 'smokeTest' });
    const handle = await start();
    await ask.reached;
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject(cancelledBy);
    expect(running()).toEqual(wanted);
    expect(cluster.counts).not.toHaveProperty('stopGangUnits');
  });
});

describe('a stop that fails', () => {
  it('is told together with what it was to follow', async () => {
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 1, { phase: 'loading weights' });
    cluster.faults.fail({ activity: 'stopGangUnits', node: 'thorx' }, 'FENCED');
    const failure = await failureOf(await start());
    expect(failure.type).toBe('ENGINE_EXITED');
    expect(failure.details).toMatchObject([{ node: 'spark-ea8e' }, { code: 'FENCED', node: 'thorx' }]);
  });

  it('on the head keeps no other rank alive', async () => {
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_REFUSED', 1, { evidence: '--tp-szie' });
    cluster.faults.fail({ activity: 'stopGangUnits', node: 'spark-ea8e' }, 'FENCED');
    await failureOf(await start());
    expect(running(cluster.nodes.filter((node) => node !== cluster.head))).toEqual([]);
  });
});

describe('what runs already', () => {
  it('is stopped first where it belongs to another definition of the gang', async () => {
    const old = 'windlass-ray-0123456789abcdef';
    cluster.head.units.add(old).add('windlass-engine-0123456789abcdef');
    cluster.node('thorx').units.add(old);
    await bringUp();
    expect(nodesOf('stopGangUnits')).toEqual(['spark-ea8e', 'thorx']);
    const stopped = Math.max(...cluster.callsOf('stopGangUnits').map(({ ended }) => ended ?? Infinity));
    expect(stopped).toBeLessThan(Math.min(...cluster.callsOf('ensureRay').map(({ began }) => began)));
    expect(running()).toHaveLength(5);
    expect(running()).not.toContain(old);
  });

  it('is adopted: Ray as wanted stays, and only the engine is launched', async () => {
    await bringUp();
    const ray = running().filter((unit) => unit.startsWith('windlass-ray-'));
    for (const unit of cluster.head.units) if (!ray.includes(unit)) cluster.head.units.delete(unit);
    cluster.calls.length = 0;
    const { changes } = await bringUp();
    expect(changes).toBe(1);
    expect(cluster.counts).toEqual({
      observeNode: 4,
      launchServer: 1,
      confirmReady: 1,
      watchGangUnit: 3,
      smokeTest: 1,
      confirmRanks: 4,
    });
  });

  it('stays when something else of ours stands beside it', async () => {
    await bringUp();
    const wanted = running();
    cluster.head.units.add('windlass-engine-0123456789abcdef');
    cluster.head.facts = { ...cluster.head.facts, listeners: [listening] };
    cluster.calls.length = 0;
    await bringUp();
    expect(running()).toEqual(wanted);
    expect(cluster.counts).toEqual({ observeNode: 4, stopGangUnits: 1, smokeTest: 1 });
  });
});

const listening = {
  port: 5000,
  address: '10.0.0.25',
  pid: 100,
  process: 'python',
  user: 'dgx',
  unit: 'windlass-engine-0000000000000000.service',
  userUnit: true,
};
