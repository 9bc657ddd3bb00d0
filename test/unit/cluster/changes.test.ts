import { describe, expect, test } from '@jest/globals';
import { plannedNodes } from '../../../src/cluster/changes.ts';
import { environmentHash, proofKey } from '../../../src/cluster/environments.ts';
import { members, wantedGang } from '../../../src/cluster/gang.ts';
import { modelKey } from '../../../src/cluster/models.ts';
import type { Observed } from '../../../src/cluster/plan.ts';
import { planNodes } from '../../../src/cluster/plan.ts';
import type { NodeState, UnitState } from '../../../src/cluster/state.ts';
import type { ClusterSpec } from '../../../src/config/schema.ts';
import { listener, observed, spec, specWith } from '../checks/cluster.ts';

const lock = 'a'.repeat(64);

const unit = (name: string, commands: readonly string[] = []): UnitState => ({
  name: `${name}.service`,
  active: 'active',
  mainPid: 1,
  processes: commands.map((command, at) => ({ pid: at + 1, startTicks: 1, command })),
  result: null,
});

/** Every node prepared for `wanted`: environment, proof and model are there, and nothing runs. */
function prepared(wanted: ClusterSpec = spec): Observed[] {
  const nodes = observed({}, wanted);
  return planNodes(wanted, nodes).map((plan, at) => {
    const found = nodes[at];
    if (!found || plan.environment.kind !== 'built') throw new Error('the environment is not built by us');
    const { request, hash } = plan.environment;
    const environment = environmentHash(lock, request.python);
    const marker = { python: request.python, listing: lock, listingNow: lock, packages: 3, bytes: 3, at: 1 };
    const model = { model: 'nemotron', commit: 'c'.repeat(40), path: '/models/nemotron', at: 1 };
    const proof = { capability: '12.1', device: 'GPU', driver: null, torch: '2.13.0', archList: [], at: 1 };
    const state: Partial<NodeState> = {
      payload: '0.1.0',
      locks: { [hash]: lock },
      environments: [{ hash: environment, request: hash, lock, ...marker }],
      proofs: [
        {
          environment: proofKey(plan.environment, environment) ?? '',
          hardware: plan.hardware,
          kernelPackage: 'sglang-kernel',
          assembler: 'ptxas',
          ran: [],
          ...proof,
        },
      ],
      models: [{ key: modelKey(wanted), files: 2, bytes: 20, filesNow: 2, bytesNow: 20, ...model }],
    };
    return { node: found.node, facts: { ...found.facts, state: { ...found.facts.state, ...state } } };
  });
}

/** The same nodes with the gang of `wanted` serving; `ranks` are those alive, by node. */
function serving(wanted: ClusterSpec = spec, ranks: Readonly<Record<string, number>> = {}): Observed[] {
  const nodes = prepared(wanted);
  const gang = wantedGang(
    wanted,
    planNodes(wanted, nodes).map((plan) => ({
      node: plan.node,
      hardware: plan.hardware,
      place: {
        environment:
          plan.environment.kind === 'built' ? environmentHash(lock, plan.environment.request.python) : '',
      },
      variables: plan.variables,
      modelPath: '/models/nemotron',
    })),
  );
  return nodes.map(({ node, facts }) => {
    const member = members(gang).find((each) => each.prepared.node.name === node.name);
    const alive = Array.from({ length: ranks[node.name] ?? 1 }, () => 'ray::SchedulerActor');
    const units = [
      unit(member?.rayUnit ?? '', ['raylet', ...alive]),
      ...(node.name === wanted.head ? [unit(gang.engineUnit)] : []),
    ];
    const listeners = node.name === wanted.head ? [listener({ port: wanted.serving.port })] : [];
    return { node, facts: { ...facts, listeners, state: { ...facts.state, units } } };
  });
}

const changes = (nodes: readonly Observed[], wanted: ClusterSpec = spec) =>
  Object.fromEntries(plannedNodes(wanted, nodes).map((each) => [each.node, each.changes]));
const starting = { 'spark-ea8e': ['start head', 'launch server'], thorx: ['join workers'] };
const stopping = expect.stringMatching(/^stop old gang: windlass-ray-[0-9a-f]{16}$/);

describe('what up would change', () => {
  test('is everything on nodes where nothing is', () => {
    expect(changes(observed())['thorx']?.map((each) => each.replace(/[:(].*/, '').trim())).toEqual([
      'place the node worker',
      'lock packages',
      'provision venv',
      'install wheels',
      'verify torch arch',
      'stage model',
      'join workers',
    ]);
  });

  test('is the start of the gang alone on nodes that are prepared', () => {
    expect(changes(prepared())).toMatchObject(starting);
  });

  test('is nothing where the wanted gang serves', () => {
    expect(Object.values(changes(serving())).flat()).toEqual([]);
  });

  test('is a new version of windlass where it stands in place of another', () => {
    const nodes = serving();
    const version = nodes[0]?.facts.state.payload ?? '';
    const versions = new Map(spec.nodes.map(({ name }) => [name, name === 'thorx' ? '9.9.9-0' : version]));
    expect(plannedNodes(spec, nodes, versions).flatMap(({ changes: all }) => all)).toEqual([
      `place windlass 9.9.9-0, in place of ${version}`,
    ]);
  });

  test('is what is left to do where an engine still loads and somebody has its port at another address', () => {
    const nodes = serving(spec, { 'jetson-thor': 0 }).map(({ node, facts }) => {
      const listeners = facts.listeners?.map((each) => ({ ...each, unit: 'registry.service' })) ?? null;
      return { node, facts: { ...facts, listeners } };
    });
    expect(Object.values(changes(nodes)).flat()).toEqual([]);
  });

  test('is the whole gang for another definition of the engine, whose ranks hold memory', () => {
    expect(changes(serving(), specWith({ serving: { port: 5001 } }))).toMatchObject({
      'spark-ea8e': [
        expect.stringMatching(/^stop old gang: .*windlass-engine-/),
        'start head',
        'launch server',
      ],
      thorx: [stopping, 'join workers'],
    });
  });

  test('is the whole gang for another definition of Ray', () => {
    expect(changes(serving(), specWith({ ray: { port: 7000 } }))).toMatchObject({
      thorx: [stopping, 'join workers'],
    });
  });

  test('is the whole gang where one rank is dead behind an engine that listens', () => {
    expect(changes(serving(spec, { 'jetson-thor': 0 }))).toMatchObject({
      'spark-ea8e': [expect.stringContaining('stop old gang: '), 'start head', 'launch server'],
      thorx: [stopping, 'join workers'],
    });
  });

  /** The serving nodes after the engine has died. */
  const withoutEngine = (ranks: number): Observed[] =>
    serving(spec, Object.fromEntries(spec.nodes.map(({ name }) => [name, ranks]))).map(({ node, facts }) => {
      const units = facts.state.units.filter(({ name }) => name.startsWith('windlass-ray-'));
      return { node, facts: { ...facts, listeners: [], state: { ...facts.state, units } } };
    });

  test('is the engine alone where it has died, and its ranks with it', () => {
    expect(changes(withoutEngine(0))).toEqual({
      'spark-ea8e': ['launch server'],
      'spark-4080': [],
      'jetson-thor': [],
      thorx: [],
    });
  });

  test('is the whole gang where ranks have outlived their engine', () => {
    expect(changes(withoutEngine(1))).toMatchObject({
      'spark-ea8e': [stopping, 'start head', 'launch server'],
      thorx: [stopping, 'join workers'],
    });
  });

  test('is the whole gang where the model is still to come', () => {
    const nodes = serving().map((each) =>
      each.node.name === 'spark-ea8e'
        ? { ...each, facts: { ...each.facts, state: { ...each.facts.state, models: [] } } }
        : each,
    );
    expect(changes(nodes)).toMatchObject({
      'spark-ea8e': [
        'stage model',
        expect.stringContaining('stop old gang: '),
        'start head',
        'launch server',
      ],
      thorx: [stopping, 'join workers'],
    });
  });
});

test('the commands are those of a person: Ray on each node, the engine on the head', () => {
  const [head, other] = plannedNodes(spec, observed());
  expect(head?.commands).toEqual([
    expect.stringContaining('ray start --block --head --port=6379 --node-ip-address=10.0.0.25'),
    expect.stringContaining('sglang.launch_server --model-path <snapshot of the model>'),
  ]);
  expect(other?.commands).toEqual([
    expect.stringContaining('ray start --block --address=10.0.0.25:6379 --node-ip-address=10.0.0.22'),
  ]);
});
