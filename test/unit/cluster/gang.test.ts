import { describe, expect, test } from '@jest/globals';
import type { PreparedNode } from '../../../src/cluster/gang.ts';
import {
  apiAddress,
  endpointsOf,
  engineUnitName,
  headOf,
  rayUnitName,
  wantedEngine,
  wantedRay,
} from '../../../src/cluster/gang.ts';
import { EngineUnit, RayUnit } from '../../../src/cluster/inputs.ts';
import type { ClusterSpec } from '../../../src/config/schema.ts';
import { spec, specWith } from '../checks/cluster.ts';

const prepared = (name = 'spark-ea8e', changes: Partial<PreparedNode> = {}, wanted = spec): PreparedNode => {
  const node = wanted.nodes.find((each) => each.name === name);
  if (!node) throw new Error(`there is no node ${name}`);
  return {
    node,
    hardware: 'spark',
    place: { environment: '0123456789abcdef' },
    variables: { NCCL_DEBUG: 'WARN' },
    modelPath: '/models/nemotron',
    ...changes,
  };
};

describe('the Ray node wanted on a machine', () => {
  test('is the head on the head and a worker elsewhere, at its own address', () => {
    const ray = (name: string) => wantedRay(spec, prepared(name), '10.0.0.25');
    expect(ray('spark-ea8e')).toMatchObject({ role: 'head', nodeAddress: '10.0.0.25', port: 6379 });
    expect(ray('thorx')).toMatchObject({
      role: 'worker',
      nodeAddress: '10.0.0.26',
      headAddress: '10.0.0.25',
    });
  });

  test('is what a node worker takes', () => {
    const ray = wantedRay(spec, prepared(), '10.0.0.25');
    expect(RayUnit.parse(ray)).toEqual(ray);
    const engine = wantedEngine(spec, prepared());
    expect(EngineUnit.parse(engine)).toEqual(engine);
  });
});

describe('the name of a unit', () => {
  const ray = (changes: Partial<PreparedNode> = {}, wanted: ClusterSpec = spec) =>
    rayUnitName(wantedRay(wanted, prepared('spark-ea8e', changes, wanted), '10.0.0.25'));
  const engine = (wanted: ClusterSpec = spec, changes: Partial<PreparedNode> = {}) =>
    engineUnitName(wantedEngine(wanted, prepared('spark-ea8e', changes, wanted)));

  test('is the same for the same definition, in whatever order it was written', () => {
    expect(ray()).toMatch(/^windlass-ray-[0-9a-f]{16}$/);
    expect(engine()).toMatch(/^windlass-engine-[0-9a-f]{16}$/);
    expect(ray({ variables: { A: '1', B: '2' } })).toBe(ray({ variables: { B: '2', A: '1' } }));
  });

  test.each([
    ['another environment', { place: { environment: 'fedcba9876543210' } }],
    ['another variable', { variables: { NCCL_DEBUG: 'INFO' } }],
  ])('is another for %s: of Ray, and of the engine that inherits it', (_what, changes) => {
    expect(ray(changes)).not.toBe(ray());
    expect(engine(spec, changes)).not.toBe(engine());
  });

  test.each([
    ['model', { modelPath: '/models/other' }, {}],
    ['port of the API', {}, { serving: { port: 5001 } }],
    ['memory fraction', {}, { serving: { memoryFraction: 0.5 } }],
    ['key', {}, { secrets: ['apiKey'] }],
  ])('is another engine, on the same Ray, for another %s', (_what, changes, parts) => {
    const wanted = specWith(parts);
    expect(engine(wanted, changes)).not.toBe(engine());
    expect(ray(changes, wanted)).toBe(ray());
  });
});

describe('where a gang listens', () => {
  const listens = (name: string, wanted = spec) =>
    endpointsOf(wanted, prepared(name).node).map(({ address, port }) => `${address}:${port}`);

  test('is for Ray, its helpers, the meeting point and the API on the head', () => {
    expect(listens('spark-ea8e')).toEqual(
      [5000, 28500, 6379, 6380, 6381, 6382, 6383, 6384, 6385].map((port) => `10.0.0.25:${port}`),
    );
  });

  test("is for Ray's helpers alone on another node, beside the port that the file gives to Ray", () => {
    expect(listens('thorx', specWith({ ray: { port: 7000 } }))).toEqual(
      [7001, 7002, 7003, 7004, 7005, 7006].map((port) => `10.0.0.26:${port}`),
    );
  });

  test('is where the API is wanted, else at the head', () => {
    const elsewhere = specWith({ serving: { address: '127.0.0.1', port: 5001 } });
    expect(apiAddress(elsewhere)).toEqual({ address: '127.0.0.1', port: 5001 });
    expect(listens('spark-ea8e', elsewhere)[0]).toBe('127.0.0.1:5001');
    expect(apiAddress(spec)).toEqual({ address: '10.0.0.25', port: 5000 });
  });
});

test('a head that is no node is told', () => {
  expect(headOf(spec, [prepared('thorx'), prepared()]).node.name).toBe('spark-ea8e');
  expect(() => headOf(spec, [prepared('thorx')])).toThrow(/head spark-ea8e is not one of the nodes/);
});
