/** What only a person can mend: the run waits, says for what, and goes on, or ends, as it is told. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import type { WaitingFor } from '../../src/cluster/waits.ts';
import { pauseMs } from '../../src/cluster/waits.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { answerRun } from '../../src/temporal/answers.ts';
import type { ActivityName } from '../support/nodes.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { sharedAddress } from '../support/temporal.ts';
import { facts, listener } from '../unit/checks/cluster.ts';
import type { Handle } from './service.ts';
import { boardOf, eventsOf, failureOf, Service, until } from './service.ts';

jest.setTimeout(60_000);

let service: Service;

// Each test has a cluster of its own: the polls of all their workers together are more than one connection carries.
beforeEach(async () => {
  service = await Service.open();
});

afterEach(async () => {
  await service.stop();
});

let clusters = 0;

async function serving(except: readonly string[] = []): Promise<ScriptedCluster> {
  const cluster = new ScriptedCluster(seedSpec(`waiting-${(clusters += 1)}`));
  await service.serve(
    cluster,
    cluster.nodes.filter(({ spec: { name } }) => !except.includes(name)),
  );
  return cluster;
}

/** Two nodes of different classes: half the work for the service where no more are needed. */
async function servingPair(): Promise<ScriptedCluster> {
  const whole = seedSpec(`waiting-${(clusters += 1)}`);
  const nodes = whole.nodes.filter(({ name }) => name === 'spark-ea8e' || name === 'thorx');
  const cluster = new ScriptedCluster({ ...whole, nodes, parallel: { ...whole.parallel, pipeline: 2 } });
  await service.serve(cluster);
  return cluster;
}

const start = (cluster: ScriptedCluster): Promise<Handle> => service.start('bringUpCluster', cluster.spec);

/** What the run waits for, once it does and what it says fits. */
async function waited(handle: Handle, what = /./): Promise<WaitingFor> {
  const found: WaitingFor[] = [];
  await until(`the run waits for ${what.source}`, async () => {
    const { waitingFor } = await boardOf(handle);
    if (waitingFor && what.test(waitingFor.what)) found.push(waitingFor);
    return found.length > 0;
  });
  return found[0] ?? Promise.reject(new Error('nothing is waited for'));
}

/** EVENT_TYPE_ACTIVITY_TASK_SCHEDULED, and how such a task ends. */
const [scheduled, ended] = [10, [12, 13, 14, 16]] as const;

/** Activities of the run itself that have begun and not ended. */
async function underWay(handle: Handle): Promise<number> {
  const types = (await eventsOf(handle)).map(({ eventType }) => Number(eventType));
  const count = (wanted: readonly number[]) => types.filter((type) => wanted.includes(type)).length;
  return count([scheduled]) - count(ended);
}

const useless = /approved, which is of no use here/;
const stranger = { port: 6380, by: 'redis-server (pid 812)' };
const full = { path: '/envs', free: '12 MB' };

describe('an act that only a person can make possible', () => {
  it.each<[ActivityName, string, string, ErrorCode, Record<string, unknown>, RegExp]>([
    ['ensureRay', 'spark-ea8e', 'start head', 'PORT_TAKEN', stranger, /TCP 6380 is held by redis-server/],
    ['ensureRay', 'thorx', 'join workers', 'PORT_TAKEN', stranger, /TCP 6380 is held by redis-server/],
    ['launchServer', 'spark-ea8e', 'launch server', 'PORT_TAKEN', stranger, /Stop it; or end the run/],
    ['resolveLock', 'thorx', 'lock packages', 'DISK_FULL', full, /no space left for \/envs/],
    ['installWheels', 'thorx', 'install wheels', 'DISK_FULL', full, /no space left for \/envs/],
    ['stageModel', 'thorx', 'stage model', 'READ_ONLY', full, /Remount it writable/],
    ['provisionVenv', 'thorx', 'provision venv', 'NO_PERMISSION', full, /no permission to write/],
    ['installWheels', 'thorx', 'install wheels', 'NODE_OWNED', { owner: 'a', home: 'b' }, /belongs to the/],
  ])('%s on %s (%s) waits at %s', async (activity, node, step, code, data, sentence) => {
    const cluster = await servingPair();
    cluster.faults.fail({ activity, node }, code, 1, data);
    const calls = () => cluster.callsOf(activity).filter((call) => call.node === node).length;
    const before = Date.now();
    const handle = await start(cluster);
    const waitingFor = await waited(handle);
    expect(waitingFor.node).toBe(node);
    const { rows } = await boardOf(handle);
    expect(rows.findLast((row) => row.node === node && row.step === step)?.state).toBe('waiting');
    expect(waitingFor.since).toBeGreaterThanOrEqual(before - 5_000);
    expect(waitingFor.what).toContain(`${node} · ${step}: `);
    expect(waitingFor.what).toContain(`(${code})`);
    expect(waitingFor.what).toMatch(sentence);
    for (const command of ['retry', 'approve', 'cancel']) {
      expect(waitingFor.what).toContain(`windlass ${command} FILE`);
    }
    const { currentDetails } = await handle.query<{ currentDetails: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(sentence);
    expect(currentDetails).toContain(`windlass retry FILE ${node}`);

    // Once it has said that the approval is of no use, it has heard what was sent before that too.
    await handle.signal('retryNode', { node: node === 'thorx' ? 'spark-ea8e' : 'thorx' });
    await handle.signal('approve', { node });
    await waited(handle, useless);
    await until('nothing runs any more', async () => (await underWay(handle)) === 0);
    expect(calls()).toBe(1);

    await handle.signal('retryNode', { node });
    await handle.result();
    expect(calls()).toBe(2);
    const board = await boardOf(handle);
    expect(board.waitingFor).toBeNull();
    expect(board.rows.filter(({ state }) => state === 'waiting' || state === 'running')).toEqual([]);
    expect(
      board.rows.find((row) => row.node === node && row.step === step && row.state === 'done'),
    ).toBeDefined();
  });

  it('is done again on every node when no node is named', async () => {
    const cluster = await serving();
    for (const node of ['spark-4080', 'thorx']) {
      cluster.faults.fail({ activity: 'ensureRay', node }, 'PORT_TAKEN', 1, stranger);
    }
    const handle = await start(cluster);
    await until('it waits for both', async () => (await boardOf(handle)).waitingFor?.all.length === 2);
    await handle.signal('retryNode');
    await handle.result();
    expect(cluster.counts).toMatchObject({ ensureRay: 6 });
  });

  it('waits again with the time of its first wait when it is not mended', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, { port: 6381, by: 'nc' });
    const handle = await start(cluster);
    const { since } = await waited(handle, /TCP 6380/);
    await handle.signal('retryNode', {});
    expect(await waited(handle, /TCP 6381/)).toMatchObject({ since, node: 'thorx' });
    await handle.signal('retryNode', {});
    await handle.result();
  });

  it('is waited for no longer, and told, when another node has failed for good', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'installWheels', node: 'thorx' }, 'DISK_FULL', 1, full);
    const install = cluster.faults.hold({ activity: 'installWheels', node: 'jetson-thor' });
    cluster.faults.fail({ activity: 'installWheels', node: 'jetson-thor' }, 'ENVIRONMENT_DIFFERS');
    const handle = await start(cluster);
    await Promise.all([install.reached, waited(handle)]);
    install.release();
    const { details } = await failureOf(handle);
    expect(details?.map((each) => (each as { code: string }).code).toSorted()).toEqual([
      'DISK_FULL',
      'ENVIRONMENT_DIFFERS',
    ]);
  });

  it('is the proof that nothing is in the way of the next start of a gang', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 1, { phase: 'loading weights' });
    cluster.faults.fail({ activity: 'stopGangUnits', node: 'spark-ea8e' }, 'PORT_TAKEN', 1, stranger);
    const handle = await start(cluster);
    await waited(handle, /spark-ea8e · stop old gang: TCP 6380/);
    // The other ranks are stopped meanwhile.
    await until('all are asked to stop', () => cluster.callsOf('stopGangUnits').length === 4);
    expect(cluster.counts).toMatchObject({ launchServer: 1 });
    await handle.signal('retryNode', { node: 'spark-ea8e' });
    await handle.result();
    expect(cluster.counts).toMatchObject({ launchServer: 2, stopGangUnits: 5 });
  });
});

describe('checks that a person can make pass on the nodes', () => {
  const [rootDisk, modelDisk] = facts().disks;
  if (!rootDisk || !modelDisk) throw new Error('the facts have two disks');
  const small = { disks: [{ ...rootDisk, freeBytes: 4 * 1024 ** 3 }, modelDisk] };
  const owner = { cluster: 'other', home: 'e'.repeat(16), fence: { startedAt: 1, run: 'run-1' } };

  let cluster: ScriptedCluster;
  beforeEach(async () => {
    cluster = await serving();
  });

  const change = (name: string, changes: Partial<ReturnType<typeof facts>>) => {
    const node = cluster.node(name);
    node.facts = { ...node.facts, ...changes };
  };

  it('are waited for; each node is looked at when it is named, and all of them before the run goes on', async () => {
    change('spark-ea8e', { listeners: [listener({ port: 6379, process: 'redis-server', pid: 812 })] });
    change('thorx', { gpus: [], gpuError: 'NVIDIA-SMI has failed' });
    const handle = await start(cluster);
    const { what, all } = await waited(handle);
    expect(all.map(({ node, approval }) => ({ node, approval }))).toEqual([
      { node: 'spark-ea8e', approval: null },
      { node: 'thorx', approval: null },
    ]);
    expect(what).toMatch(/spark-ea8e · check port-free: TCP 6379 is held by redis-server \(pid 812/);
    expect(what).toMatch(/thorx · check gpu-present: no GPU was found: NVIDIA-SMI has failed/);
    const row = (await boardOf(handle)).rows.find(({ step }) => step === 'check');
    expect(row).toMatchObject({ state: 'waiting' });
    expect(row).not.toHaveProperty('endedAt');

    change('spark-ea8e', { listeners: [] });
    change('thorx', { gpus: facts().gpus, gpuError: null });
    await handle.signal('retryNode', { node: 'spark-4080' });
    await handle.signal('approve', { node: 'thorx' });
    await waited(handle, useless);
    expect(cluster.counts).toEqual({ observeNode: 4 });
    await handle.signal('retryNode', { node: 'spark-ea8e' });
    await until('it waits for one', async () => (await boardOf(handle)).waitingFor?.all.length === 1);
    expect(cluster.counts).toEqual({ observeNode: 5 });
    await handle.signal('retryNode', { node: 'thorx' });
    await handle.result();
    // Facts that are days old would be no ground to act on.
    expect(cluster.counts).toMatchObject({ observeNode: 10, smokeTest: 1 });
  });

  it('are marked while they are looked at again, so that nobody takes what was found before for an answer', async () => {
    change('spark-ea8e', { listeners: [listener({ port: 6379, process: 'redis-server', pid: 812 })] });
    const handle = await start(cluster);
    const { all } = await waited(handle);
    expect(all).toMatchObject([{ node: 'spark-ea8e', step: 'check', code: 'CHECKS_FAILED' }]);
    expect(all[0]).not.toHaveProperty('isLookedAt');
    const again = cluster.faults.hold({ activity: 'observeNode', node: 'spark-ea8e' });
    await handle.signal('retryNode', {});
    await again.reached;
    expect((await boardOf(handle)).waitingFor?.all).toMatchObject([{ isLookedAt: true }]);
    change('spark-ea8e', { listeners: [] });
    again.release();
    await handle.result();
  });

  it('are judged on all nodes again where the nodes do not agree: another may be the mended one', async () => {
    const ahead = cluster.nodes.filter((node) => node !== cluster.head);
    for (const node of ahead) node.clockAheadMs = 7_200_000;
    const handle = await start(cluster);
    await waited(handle, /spark-ea8e · check clock-skew: the clock is 7200 s behind/);
    for (const node of ahead) node.clockAheadMs = 0;
    await handle.signal('retryNode', {});
    await handle.result();
  });

  it('end the run when what is found then takes another cluster file', async () => {
    change('thorx', small);
    const handle = await start(cluster);
    await waited(handle, /disk-environment/);
    change('thorx', { interfaces: [] });
    await handle.signal('retryNode', {});
    expect((await failureOf(handle)).type).toBe('CHECKS_FAILED');
  });

  it('can be passed over where space was only estimated', async () => {
    change('thorx', small);
    const handle = await start(cluster);
    const { all, what } = await waited(handle);
    expect(all[0]?.approval).toBe('install with the space that there is');
    expect(what).toContain('windlass approve FILE thorx: install with the space that there is');
    await handle.signal('approve', { node: 'thorx' });
    await handle.result();
    expect(cluster.counts).toMatchObject({ smokeTest: 1 });
  });

  it('let a node be taken whose owner is gone', async () => {
    const thorx = cluster.node('thorx');
    thorx.state = { ...thorx.state, owner };
    const handle = await start(cluster);
    const { what } = await waited(handle);
    expect(what).toMatch(/thorx · check owner: the node belongs to the cluster other/);
    expect(what).toMatch(/approve FILE thorx: take the node from the cluster other .*gone for good/);
    await handle.signal('approve', { node: 'thorx' });
    await handle.result();
    expect(thorx.state.owner).toMatchObject({ cluster: cluster.spec.name });
    const { id: node } = thorx.spec;
    expect(cluster.inputsOf('installWheels')[0]?.run.replaces).toEqual([
      { node, cluster: 'other', home: owner.home },
    ]);
  });

  it('let no node be taken on which the owner still runs something', async () => {
    const thorx = cluster.node('thorx');
    thorx.state = { ...thorx.state, owner };
    thorx.units.add('windlass-ray-0123456789abcdef');
    const handle = await start(cluster);
    await waited(handle, /check owner/);
    await handle.signal('approve', {});
    const { all } = await waited(handle, useless);
    expect(all[0]?.approval).toBeNull();
    thorx.units.clear();
    thorx.state = { ...thorx.state, owner: null };
    await handle.signal('retryNode', {});
    await handle.result();
  });
});

describe('a run that waits and is told to end', () => {
  const running = (cluster: ScriptedCluster) => cluster.nodes.flatMap(({ units }) => [...units]);

  it('at its checks has changed nothing', async () => {
    const cluster = await serving();
    cluster.head.facts = { ...cluster.head.facts, listeners: [listener({ port: 6379 })] };
    const handle = await start(cluster);
    await waited(handle);
    await handle.signal('cancel');
    expect((await failureOf(handle)).type).toBe('RUN_CANCELLED');
    expect(cluster.counts).toEqual({ observeNode: 4 });
    expect((await boardOf(handle)).waitingFor).toBeNull();
  });

  it('stops the ranks that it has started, although a stranger stays on a port', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
    cluster.faults.fail({ activity: 'stopGangUnits', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
    const handle = await start(cluster);
    await waited(handle);
    await until('the others have joined', () => running(cluster).length === 3);
    await handle.signal('cancel');
    expect((await failureOf(handle)).type).toBe('RUN_CANCELLED');
    expect(running(cluster)).toEqual([]);
  });

  it('ends while it waits for the stop of a gang that failed', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 1, { phase: 'loading weights' });
    cluster.faults.fail({ activity: 'stopGangUnits', node: 'spark-ea8e' }, 'PORT_TAKEN', 2, stranger);
    const handle = await start(cluster);
    await waited(handle, /stop old gang/);
    await handle.cancel();
    await expect(handle.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expect((await handle.describe()).status.name).toBe('CANCELLED');
    expect(running(cluster).filter((unit) => !cluster.head.units.has(unit))).toEqual([]);
  });
});

describe('a cancel by signal', () => {
  it('ends a run that works, with its children, as Temporal’s own does', async () => {
    const cluster = await serving();
    const install = cluster.faults.hold({ activity: 'installWheels', node: 'thorx' });
    const handle = await start(cluster);
    await install.reached;
    await handle.signal('cancel');
    await install.cancelled;
    expect((await failureOf(handle)).type).toBe('RUN_CANCELLED');
  });
});

describe('without a person', () => {
  it('it is looked at again by itself: at a node, at an act, at a check', async () => {
    await service.stop();
    service = await Service.open({ shortLimits: true });
    const cluster = await serving(['thorx']);
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 2, stranger);
    cluster.head.facts = { ...cluster.head.facts, listeners: [listener({ port: 6379 })] };
    const handle = await start(cluster);
    await waited(handle, /no node worker on thorx/);
    await service.serve(cluster, [cluster.node('thorx')]);
    await waited(handle, /check port-free/);
    cluster.head.facts = { ...cluster.head.facts, listeners: [] };
    await waited(handle, /thorx · join workers: TCP 6380/);
    await handle.result();
    expect(cluster.callsOf('ensureRay').filter(({ node }) => node === 'thorx')).toHaveLength(3);
  });
});

describe('a week of waiting', () => {
  const minute = 60_000;
  const week = 7 * 24 * 60 * minute;
  let looks = 0;
  for (let waitedMs = 0; waitedMs < week; looks += 1) waitedMs += pauseMs(waitedMs, 10 * minute);

  it.each<[string, ActivityName, ErrorCode]>([
    ['an act', 'ensureRay', 'PORT_TAKEN'],
    ['the preparation of a node', 'installWheels', 'DISK_FULL'],
  ])('for %s keeps the history below 2,000 events', async (_what, activity, code) => {
    await service.stop();
    service = await Service.open({ shortLimits: true });
    const eventsOfRun = async (failures: number): Promise<number> => {
      const cluster = await servingPair();
      cluster.faults.fail({ activity, node: 'thorx' }, code, failures, { ...stranger, ...full });
      const handle = await start(cluster);
      await handle.result();
      return (await eventsOf(handle)).length;
    };
    const [few, more] = [await eventsOfRun(1), await eventsOfRun(6)];
    expect(few + ((more - few) / 5) * looks).toBeLessThan(2_000);
  });
});

describe('an answer from the command line', () => {
  it('may be a signal of Temporal’s own program, in every form that a hand types', async () => {
    const cluster = await serving();
    const { namespace } = service.client.options;
    const place = ['--address', sharedAddress(), '--namespace', namespace];
    const inputs = [['--input', '{"node": "thorx"}'], ['--input', '{}'], ['--input', '"thorx"'], []];
    for (const port of inputs.keys()) {
      cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, { port, by: 'nc' });
    }
    const handle = await start(cluster);
    for (const [port, input] of inputs.entries()) {
      await waited(handle, new RegExp(`TCP ${port} `));
      const signal = ['workflow', 'signal', '-w', handle.workflowId, '--name', 'retryNode', ...input];
      await promisify(execFile)(process.env['WINDLASS_TEST_TEMPORAL_BINARY'] ?? '', [...signal, ...place]);
    }
    await handle.result();
  });

  it('that nobody can mean changes nothing', async () => {
    const cluster = await serving();
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
    const handle = await start(cluster);
    await waited(handle);
    await until('all were asked', () => cluster.counts.ensureRay === 4);
    for (const input of [7, ['thorx'], 'thorz', { node: 7 }]) await handle.signal('retryNode', input);
    await handle.signal('approve', { node: 'thorx' });
    await waited(handle, useless);
    expect(cluster.counts).toMatchObject({ ensureRay: 4 });
    await handle.signal('retryNode', {});
    await handle.result();
  });

  it('is sent only where something waits for it', async () => {
    const cluster = await serving();
    const { name } = cluster.spec;
    const { client } = service;
    const nothing = { code: 'NOTHING_WAITS' };
    await expect(answerRun(client, name, 'retry')).rejects.toMatchObject(nothing);
    cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, stranger);
    const handle = await start(cluster);
    await waited(handle);
    await expect(answerRun(client, name, 'retry', 'spark-4080')).rejects.toMatchObject(nothing);
    await expect(answerRun(client, name, 'approve', 'thorx')).rejects.toMatchObject({
      code: 'NOT_APPROVABLE',
      data: { what: expect.stringMatching(/^thorx · join workers: TCP 6380/) },
    });
    const answered = await answerRun(client, name, 'retry', 'thorx');
    expect(answered.map(({ node }) => node)).toEqual(['thorx']);
    await handle.result();
    await expect(answerRun(client, name, 'retry')).rejects.toMatchObject(nothing);
  });
});
