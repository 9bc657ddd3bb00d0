import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { z } from 'zod';
import { define } from '../../../activities/define.ts';
import type { Policy } from '../../../activities/policy.ts';
import { policyPath, refusalOf } from '../../../activities/policy.ts';
import { installWheels } from '../../../activities/wheels.ts';
import { sha256Hex } from '../../../src/cluster/hash.ts';
import { wantedEngine, wantedRay } from '../../../src/cluster/gang.ts';
import type { PreparedNode } from '../../../src/cluster/gang.ts';
import type { WheelsInput } from '../../../src/cluster/inputs.ts';
import { spec } from '../checks/cluster.ts';
import { base, inActivity, machine, nodeId } from './in-activity.ts';

const [node] = spec.nodes;
if (!node) throw new Error('the spec has no nodes');
const prepared: PreparedNode = {
  node,
  hardware: 'spark',
  place: { environment: '0123456789abcdef' },
  variables: {},
  modelPath: '/home/dgx/.cache/huggingface/hub/snapshot',
};
const ray = { ray: wantedRay(spec, prepared, node.address) };
const engine = (changes: Partial<PreparedNode> = {}) => ({
  engine: wantedEngine(spec, { ...prepared, ...changes }),
});
const request = {
  python: '3.12',
  packages: ['sglang==0.5.21'],
  index: 'https://pypi.org/simple',
  extraIndexes: ['https://download.pytorch.org/whl/cu130'],
};
const own = { engine: 'sglang', engineVersion: '1', rayVersion: '1' };

describe('what a policy refuses', () => {
  const refusal = (policy: Policy, input: object) =>
    refusalOf(policy, { ...base('/root'), ...input }, '/home/dgx');

  test('is nothing where it says nothing', () => {
    expect(refusal({}, { ...ray, ...engine(), request })).toBeNull();
  });

  test.each<[string, Policy, object, string | null]>([
    ['a run of another cluster', { clusters: ['mine'] }, {}, 'cluster lab is not allowed'],
    ['a run of its own', { clusters: ['mine', 'lab'] }, {}, null],
    ['Ray on its ports and its helpers’', { ports: [[6379, 6385]] }, ray, null],
    ['Ray where a helper would listen elsewhere', { ports: [[6379, 6384]] }, ray, 'port 6385 is not allowed'],
    ['an engine elsewhere', { ports: [[5001, 30_000]] }, engine(), 'port 5000 is not allowed'],
    ['where ranks meet', { ports: [[5000, 5000]] }, engine(), 'port 28500 is not allowed'],
    ['a model of the hub', { folders: [] }, engine(), null],
    [
      'a model elsewhere',
      { folders: ['/models'] },
      engine({ modelPath: '/tmp/x' }),
      'model /tmp/x is not allowed',
    ],
    ['a model in a folder of the owner', { folders: ['~/m/'] }, engine({ modelPath: '/home/dgx/m/x' }), null],
    [
      'a way out of that folder',
      { folders: ['/models'] },
      { model: { path: '/models/../etc/x' } },
      'folder /models/../etc/x is not allowed',
    ],
    [
      'a folder of another name',
      { folders: ['/models'] },
      { model: { path: '/models2/x' } },
      'folder /models2/x is not allowed',
    ],
    [
      'an environment by hand',
      { folders: [] },
      { place: { path: '/opt/env', ...own } },
      'folder /opt/env is not allowed',
    ],
    [
      'another index beside one that is allowed',
      { sources: ['https://pypi.org/'] },
      { request },
      'source https://download.pytorch.org/whl/cu130 is not allowed',
    ],
    [
      'another hub',
      { sources: ['https://huggingface.co'] },
      { model: { id: 'a/b', endpoint: 'https://evil.example' } },
      'source https://evil.example is not allowed',
    ],
    [
      'a hub whose name begins like one that is allowed',
      { sources: ['https://huggingface.co'] },
      { model: { id: 'a/b', endpoint: 'https://huggingface.co.evil.example' } },
      'source https://huggingface.co.evil.example is not allowed',
    ],
    [
      'a folder of a host whose name begins like one that is allowed',
      { sources: ['https://download.pytorch.org/whl'] },
      { request: { ...request, index: 'https://download.pytorch.org/whl2/cu130', extraIndexes: [] } },
      'source https://download.pytorch.org/whl2/cu130 is not allowed',
    ],
    [
      'an index below one that is allowed',
      { sources: ['https://pypi.org', 'https://download.pytorch.org/whl/'] },
      { request },
      null,
    ],
    [
      'a package from elsewhere',
      { sources: ['https://pypi.org', 'https://download.pytorch.org'] },
      { request: { ...request, packages: ['torch==2.9.1', 'x[y] @ https://evil.example/x.whl'] } },
      'source https://evil.example/x.whl is not allowed',
    ],
    [
      'a package by its path',
      { sources: ['https://pypi.org', 'https://download.pytorch.org'] },
      { request: { ...request, packages: ['./x.whl'] } },
      'source ./x.whl is not allowed',
    ],
    [
      'what a lock would have fetched from elsewhere',
      { sources: ['https://pypi.org/', 'https://files.pythonhosted.org/packages'] },
      { sources: ['https://files.pythonhosted.org/packages/a/x.whl', 'https://evil.example/x.whl'] },
      'source https://evil.example/x.whl is not allowed',
    ],
    ['ports that are to be free', { ports: [] }, { ports: [{ address: '10.0.0.1', port: 1 }] }, null],
  ])('%s', (_what, policy, input, expected) => {
    expect(refusal(policy, input)).toBe(expected);
  });
});

describe('the door of an activity', () => {
  let home: string;
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'windlass-policy-'));
  });
  afterEach(() => {
    rmSync(home, { recursive: true });
  });

  const write = (text: string) => {
    const path = policyPath(home);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  };
  const Input = z.object({ node: z.string(), run: z.object({ cluster: z.string() }) });
  const ask = () => {
    const context = { ...machine(home), homeDirectory: home };
    const act = define(context, Input, () => Promise.resolve('done'));
    return inActivity(() => act({ node: nodeId, run: { cluster: 'lab' } }));
  };

  test('is open where the owner has written no policy', async () => {
    await expect(ask()).resolves.toBe('done');
  });

  test('is open to what the policy allows', async () => {
    write('{"clusters":["lab"]}');
    await expect(ask()).resolves.toBe('done');
  });

  test.each([
    ['another cluster', '{"clusters":["mine"]}', /cluster lab is not allowed/],
    ['everything, where it is not JSON', 'clusters: lab', /it is not JSON/],
    ['everything, where a word is not known', '{"cluster":["lab"]}', /Unrecognized key: "cluster"/],
    ['everything, where a port is none', '{"ports":[[0,70000]]}', /ports\.0\.0/],
  ])('is closed to %s', async (_what, text, expected) => {
    write(text);
    await expect(ask()).rejects.toMatchObject({ type: 'POLICY', message: expect.stringMatching(expected) });
  });

  test('is closed to a lock of another node with a package from elsewhere, before anything is installed', async () => {
    write('{"sources":["https://pypi.org/"]}');
    const lock = '[[packages]]\nname = "x"\nwheels = [{ url = "https://evil.example/x.whl" }]\n';
    const context = { ...machine(home), homeDirectory: home };
    const input: WheelsInput = {
      ...base(home),
      environment: '0123456789abcdef',
      request: { ...request, extraIndexes: [], findLinks: [], prerelease: false, machine: 'x86_64' },
      requestHash: 'fedcba9876543210',
      lock: { sha256: sha256Hex(lock), packages: 1, bytes: 0, text: gzipSync(lock).toString('base64') },
    };
    await expect(inActivity(() => installWheels(context)(input))).rejects.toMatchObject({
      type: 'POLICY',
      message: expect.stringMatching(/source https:\/\/evil\.example\/x\.whl is not allowed/),
    });
  });
});
