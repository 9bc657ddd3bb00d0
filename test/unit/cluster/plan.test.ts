import { describe, expect, test } from '@jest/globals';
import { environmentHash, proofKey } from '../../../src/cluster/environments.ts';
import type { NodeFacts } from '../../../src/cluster/facts/types.ts';
import { modelKey } from '../../../src/cluster/models.ts';
import type { NodePlan } from '../../../src/cluster/plan.ts';
import { needsOf, placeOf, planNodes } from '../../../src/cluster/plan.ts';
import type { NodeState } from '../../../src/cluster/state.ts';
import type { ClusterSpec } from '../../../src/config/schema.ts';
import { facts, observed, spec, specWith } from '../checks/cluster.ts';

const lock = 'a'.repeat(64);
const commit = 'c'.repeat(40);

const plans = (changes: Record<string, Partial<NodeFacts>> = {}, wanted: ClusterSpec = spec) =>
  planNodes(wanted, observed(changes, wanted));

function planOf(name: string, state: Partial<NodeState> = {}, wanted = spec): NodePlan {
  const found = plans({ [name]: { state: { ...facts().state, ...state } } }, wanted).find(
    ({ node }) => node.name === name,
  );
  if (!found) throw new Error(`there is no node ${name}`);
  return found;
}

const requestOf = (plan: NodePlan) => {
  if (plan.environment.kind !== 'built') throw new Error('the environment is not built by us');
  return plan.environment;
};

/** A node on which everything is as wanted, and ways in which it is not. */
const request = requestOf(planOf('spark-4080'));
const hash = environmentHash(lock, request.request.python);
const marker = {
  hash,
  request: request.hash,
  lock,
  python: '3.12.3',
  listing: 'b'.repeat(64),
  listingNow: 'b'.repeat(64),
  packages: 3,
  bytes: 3,
  at: 1,
};
const proof = {
  environment: hash,
  hardware: 'spark' as const,
  capability: '12.1',
  device: 'NVIDIA GB10',
  driver: null,
  torch: '2.13.0',
  archList: ['sm_120'],
  kernelPackage: 'sglang-kernel',
  assembler: 'ptxas',
  ran: ['matmul'],
  at: 1,
};
const model = {
  key: modelKey(spec),
  model: 'nemotron',
  commit,
  path: '/models/nemotron',
  files: 2,
  bytes: 20,
  filesNow: 2,
  bytesNow: 20,
  at: 1,
};
const asWanted = {
  locks: { [request.hash]: lock },
  environments: [marker],
  proofs: [proof],
  models: [model],
};

describe('what a node needs', () => {
  const all = { environment: true, proof: true, model: true };
  const nothing = { environment: false, proof: false, model: false };
  test.each([
    ['everything at first', {}, all],
    ['nothing when all is as wanted', asWanted, nothing],
    [
      'a proof for an environment that was proven on other hardware',
      { proofs: [{ ...proof, hardware: 'thor' as const }] },
      { ...nothing, proof: true },
    ],
    [
      'environment and proof when a package was added by hand',
      { environments: [{ ...marker, listingNow: 'd'.repeat(64) }] },
      { ...nothing, environment: true, proof: true },
    ],
    [
      'environment and proof when only that of another lock is there',
      { environments: [{ ...marker, hash: '0'.repeat(16) }] },
      { ...nothing, environment: true, proof: true },
    ],
    [
      'the model when a file of it is gone',
      { models: [{ ...model, filesNow: 1 }] },
      { ...nothing, model: true },
    ],
    [
      'the model when it was cut short',
      { models: [{ ...model, bytesNow: 19 }] },
      { ...nothing, model: true },
    ],
    [
      'the model at another commit',
      { models: [{ ...model, commit: 'e'.repeat(40) }] },
      { ...nothing, model: true },
    ],
  ])('is %s', (_what, state, needs) => {
    const isFirst = needs === all;
    const plan = planOf('spark-4080', isFirst ? {} : { ...asWanted, ...state });
    expect(needsOf(plan, lock, commit)).toEqual(needs);
  });

  test('is environment and proof while no lock is known', () => {
    expect(needsOf(planOf('spark-4080', asWanted), null, commit)).toEqual({
      environment: true,
      proof: true,
      model: false,
    });
  });

  test('is never an environment where the owner built one; its proof is kept under its path', () => {
    const own = specWith({ environments: { spark: { path: '/opt/serving' } } });
    const plan = planOf('spark-4080', { models: [model] }, own);
    expect(needsOf(plan, null, commit)).toEqual({ environment: false, proof: true, model: false });
    const key = proofKey(plan.environment, null) ?? '';
    const proven = planOf('spark-4080', { models: [model], proofs: [{ ...proof, environment: key }] }, own);
    expect(needsOf(proven, null, commit).proof).toBe(false);
    // The file names another version, and what stands in the folder may still be the old one.
    const other = specWith({ ...own, engine: { ...own.engine, version: '0.5.18' } });
    const asked = planOf('spark-4080', { models: [model], proofs: [{ ...proof, environment: key }] }, other);
    expect(needsOf(asked, null, commit).proof).toBe(true);
  });
});

describe('a plan', () => {
  test('asks for one environment a class and machine', () => {
    const hashes = plans().map((plan) => requestOf(plan).hash);
    expect(hashes[0]).toBe(hashes[1]);
    expect(hashes[2]).toBe(hashes[3]);
    const mixed = plans({ 'spark-4080': { machine: 'x86_64' } }).map((plan) => requestOf(plan).hash);
    expect(mixed[1]).not.toBe(mixed[0]);
  });

  test('takes the class from the file where it says one', () => {
    const nodes = spec.nodes.map((node) => ({ ...node, hardware: 'thor' as const }));
    expect(plans({}, specWith({ nodes })).map(({ hardware }) => hardware)).toEqual(Array(4).fill('thor'));
    expect(plans().map(({ hardware }) => hardware)).toEqual(['spark', 'spark', 'thor', 'thor']);
  });
});

describe('the place of the interpreter', () => {
  test('is the folder of the lock', () => {
    expect(placeOf(spec, planOf('spark-4080'), lock)).toEqual({ environment: hash });
  });

  test('is unknown without a lock, which is a fault of ours', () => {
    expect(() => placeOf(spec, planOf('spark-4080'), null)).toThrow(/spark-4080 has no lock/);
  });

  test("is the owner's path, with the versions to be found there", () => {
    const own = specWith({ environments: { spark: { path: '/opt/serving' } } });
    expect(placeOf(own, planOf('spark-4080', {}, own), null)).toMatchObject({
      path: '/opt/serving',
      engine: 'sglang',
      engineVersion: '0.5.21',
    });
  });
});
