/** What ends a bring-up before anything is started: wrong input, failed checks, wheels for another GPU. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import { listener } from '../unit/checks/cluster.ts';
import { boardOf, eventsOf, failureOf, Service } from './service.ts';

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

describe('wrong input', () => {
  const spec = seedSpec('wrong');
  it.each([
    ['a value of another type', { ...spec, parallel: { pipeline: 'four' } }, /parallel\.pipeline: /],
    ['a key that is not known', { ...spec, modle: 1 }, /modle/],
    ['several at once', { ...spec, name: 'Wrong!', ray: { port: 0 } }, /name: .*ray\.port: /],
    ['a head that is not a node', { ...spec, head: 'spark-9' }, /head: spark-9 is not the name/],
    [
      'what is not brought up yet',
      { ...spec, engine: { ...spec.engine, name: 'vllm' }, launcher: 'ranks' },
      /engine\.name: vllm is not brought up .*; launcher: ranks is not/,
    ],
    [
      'an API on every network',
      { ...spec, serving: { address: '0::0' } },
      /serving\.address: 0::0 would open the API on every network/,
    ],
    [
      'code of a model whose revision may move',
      { ...spec, model: { id: 'owner/name', revision: 'main', trustRemoteCode: true } },
      /model\.trustRemoteCode: .* needs a commit hash/,
    ],
    ['no object', 'cluster.yaml', /input: /],
    ['nothing', undefined, /input: /],
  ])('%s fails the run in its first workflow task, naming the path', async (what, input, path) => {
    const handle = await service.start('bringUpCluster', input, `cluster/${what.replaceAll(' ', '-')}`);
    const failure = await failureOf(handle);
    expect(failure.type).toBe('SPEC_INVALID');
    expect(failure.message).toMatch(path);
    const types = (await eventsOf(handle)).map(({ eventType }) => Number(eventType));
    // Started, task scheduled, started, completed, run failed: one workflow task, and not one that failed.
    expect(types).toEqual([1, 5, 6, 7, 3]);
  });

  it('ends a tear-down in the same way', async () => {
    const failure = await failureOf(await service.start('tearDownCluster', { ...spec, head: 'spark-9' }));
    expect(failure.type).toBe('SPEC_INVALID');
  });
});

describe('checks', () => {
  it('name every problem of every node, and nothing is changed when one fails', async () => {
    const cluster = await serving('checked');
    const { head } = cluster;
    const stranger = { process: 'redis-server', pid: 812, user: 'redis', unit: 'redis-server.service' };
    head.facts = { ...head.facts, listeners: [listener({ port: 6379, ...stranger })] };
    // One problem for which the file is wrong: nobody is waited for, the stranger on the port is told beside it.
    const thorx = cluster.node('thorx');
    thorx.facts = { ...thorx.facts, interfaces: [] };
    const handle = await service.start('bringUpCluster', cluster.spec);
    const failure = await failureOf(handle);
    expect(failure.type).toBe('CHECKS_FAILED');
    expect(failure.message).toMatch(/TCP 6379 is held by redis-server \(pid 812/);
    expect(failure.message).toMatch(/address-owned +thorx/);
    expect(failure.message).toMatch(/nothing has been changed/);
    expect(cluster.counts).toEqual({ observeNode: 4 });
  });
});

describe('preparation', () => {
  const differs = { path: '/envs/1', difference: 'torch is missing' };

  it('names both nodes when two hold wheels for another GPU, and no Ray is started anywhere', async () => {
    const cluster = await serving('mismatched');
    for (const node of ['jetson-thor', 'thorx']) {
      const data = {
        library: 'torch',
        capability: '11.0',
        archList: 'sm_120',
        class: 'thor',
        evidence: node,
      };
      cluster.faults.fail({ activity: 'verifyTorchArch', node }, 'ARCH_MISMATCH', 1, data);
    }
    const handle = await service.start('bringUpCluster', cluster.spec);
    const failure = await failureOf(handle);
    expect(failure.type).toBe('ARCH_MISMATCH');
    expect(failure.details).toEqual(
      ['jetson-thor', 'thorx'].map((node) =>
        expect.objectContaining({ code: 'ARCH_MISMATCH', node, step: 'verify torch arch' }),
      ),
    );
    expect(cluster.callsOf('verifyTorchArch')).toHaveLength(4);
    expect(cluster.counts).not.toHaveProperty('ensureRay');
    expect(cluster.nodes.flatMap(({ units }) => [...units])).toEqual([]);
  });

  it('shows the failed step in the table of the run', async () => {
    const cluster = await serving('shown');
    cluster.faults.fail({ activity: 'installWheels', node: 'thorx' }, 'ENVIRONMENT_DIFFERS', 1, differs);
    const handle = await service.start('bringUpCluster', cluster.spec);
    expect((await failureOf(handle)).type).toBe('ENVIRONMENT_DIFFERS');
    const { rows } = await boardOf(handle);
    expect(rows).toContainEqual(
      expect.objectContaining({ node: 'thorx', step: 'install wheels', state: 'failed' }),
    );
    expect(rows.filter(({ state }) => state === 'running')).toEqual([]);
  });

  it('ends the download of a model that the node cannot run', async () => {
    const cluster = await serving('unfit');
    const download = cluster.faults.hold({ activity: 'stageModel', node: 'thorx' });
    cluster.faults.fail({ activity: 'installWheels', node: 'thorx' }, 'ENVIRONMENT_DIFFERS', 1, differs);
    const handle = await service.start('bringUpCluster', cluster.spec);
    await download.cancelled;
    expect((await failureOf(handle)).type).toBe('ENVIRONMENT_DIFFERS');
  });

  it('ends the downloads of all nodes once one cannot run the model and the others are proven', async () => {
    const cluster = await serving('unfit-one');
    const download = cluster.faults.hold({ activity: 'stageModel', node: 'spark-4080' });
    const place = { activity: 'verifyTorchArch', node: 'thorx' } as const;
    cluster.faults.fail(place, 'ARCH_MISMATCH', 1, { library: 'torch', capability: '11.0', class: 'thor' });
    const handle = await service.start('bringUpCluster', cluster.spec);
    await download.cancelled;
    const failure = await failureOf(handle);
    expect(failure).toMatchObject({ type: 'ARCH_MISMATCH', details: [{ node: 'thorx' }] });
    expect(cluster.callsOf('verifyTorchArch')).toHaveLength(4);
  });

  it('asks the hub no longer when the packages cannot be resolved', async () => {
    const cluster = await serving('unlocked');
    const asking = cluster.faults.hold({ activity: 'resolveModel' });
    const lock = cluster.faults.hold({ activity: 'resolveLock', node: 'jetson-thor' });
    cluster.faults.fail({ activity: 'resolveLock', node: 'jetson-thor' }, 'PYTHON_MISSING');
    const handle = await service.start('bringUpCluster', cluster.spec);
    await Promise.all([asking.reached, lock.reached]);
    lock.release();
    await asking.cancelled;
    expect((await failureOf(handle)).type).toBe('PYTHON_MISSING');
    expect((await boardOf(handle)).rows.filter(({ state }) => state === 'running')).toEqual([]);
  });

  it('tells of both what failed on one node: its environment and its model', async () => {
    const cluster = await serving('twice');
    cluster.faults.fail({ activity: 'installWheels', node: 'thorx' }, 'ENVIRONMENT_DIFFERS', 1, differs);
    cluster.faults.fail({ activity: 'stageModel', node: 'thorx' }, 'MODEL_GATED', 1, { model: 'seed' });
    cluster.faults.fail({ activity: 'stageModel', node: 'jetson-thor' }, 'MODEL_GATED', 1, { model: 'seed' });
    const { details } = await failureOf(await service.start('bringUpCluster', cluster.spec));
    expect(
      details?.map((each) => [(each as { node: string }).node, (each as { code: string }).code]),
    ).toEqual([
      ['jetson-thor', 'MODEL_GATED'],
      ['thorx', 'ENVIRONMENT_DIFFERS'],
      ['thorx', 'MODEL_GATED'],
    ]);
  });
});
