/** Which failed checks a run waits for, and which end it: by whether a person mends them with the file as it is. */
import { describe, expect, test } from '@jest/globals';
import { judgeAll } from '../../../src/cluster/checks/judge.ts';
import type { NodeFacts } from '../../../src/cluster/facts/types.ts';
import { facts, headId, listener, observed, spec, specWith, stranger } from './cluster.ts';

const [rootDisk, modelDisk] = facts().disks;
if (!rootDisk || !modelDisk) throw new Error('the facts have two disks');
const { state, systemd, interfaces, pythons } = facts();
const owner = { cluster: 'other', home: headId, fence: { startedAt: 1, run: 'r' } };
const unit = { name: 'windlass-ray-0123456789abcdef.service', mainPid: 1, processes: [], result: null };
const interfacesDown = interfaces.map((each) => ({ ...each, up: false }));

/** Failed checks of the head with these facts. */
const failures = (changes: Partial<NodeFacts>, wanted = spec) =>
  judgeAll(wanted, observed({ 'spark-ea8e': changes }, wanted)).filter(({ verdict }) => verdict === 'fail');

describe('a run waits for', () => {
  test.each<[string, string, Partial<NodeFacts>]>([
    ['a stranger on a port', 'port-free', { listeners: [listener({ port: 6379 })] }],
    ['a Ray of somebody', 'hand-started', { strangers: [stranger({ kind: 'ray' })] }],
    ['space', 'disk-environment', { disks: [{ ...rootDisk, freeBytes: 1 }, modelDisk] }],
    ['an owner', 'owner', { state: { ...state, owner } }],
    ['a GPU', 'gpu-present', { gpus: [], gpuError: 'NVIDIA-SMI has failed' }],
    ['a right', 'gpu-devices', { gpuDevicesClosed: [{ path: '/dev/nvidia0', group: 'video' }] }],
    ['a link', 'address-owned', { interfaces: interfacesDown }],
    ['a manager', 'systemd', { systemd: { ...systemd, userManager: false } }],
    ['lingering', 'linger', { systemd: { ...systemd, linger: false, polkit: false } }],
    [
      'the index',
      'index-reachable',
      { reach: [{ url: 'https://pypi.org/simple', reachable: false, reason: 'refused' }] },
    ],
  ])('%s', (_what, check, changes) => {
    const found = failures(changes).filter((each) => each.check === check);
    expect(found).not.toEqual([]);
    expect(found.map(({ canWait }) => canWait)).toEqual(found.map(() => true));
  });
});

describe('a run ends for', () => {
  test.each<[string, string, Partial<NodeFacts>]>([
    [
      'another machine',
      'node-identity',
      { state: { ...state, identity: { id: 'f'.repeat(16), mintedAt: 1 } } },
    ],
    ['another address', 'address-owned', { interfaces: [] }],
    ['another processor', 'platform', { machine: 'riscv64' }],
    ['an init that is not systemd', 'systemd', { systemd: { ...systemd, running: false } }],
    ['a folder on a network', 'root-local', { disks: [{ ...rootDisk, fileSystem: 'nfs4' }, modelDisk] }],
    ['another Python', 'equal-python', { pythons: [{ path: pythons[0]?.path ?? '', version: '3.12.9' }] }],
  ])('%s', (_what, check, changes) => {
    const found = failures(changes).filter((each) => each.check === check);
    expect(found).not.toEqual([]);
    expect(found.map(({ canWait }) => canWait)).toEqual(found.map(() => undefined));
  });

  test('a version with a known hole', () => {
    const holes = failures({}, specWith({ engine: { name: 'sglang', version: '0.5.9' } }));
    expect(holes.map(({ check, canWait }) => ({ check, canWait }))).toContainEqual({ check: 'advisories' });
  });
});

describe('a person may approve', () => {
  const approvals = (changes: Partial<NodeFacts>) => failures(changes).map(({ approval }) => approval);

  test('less space than was measured', () => {
    expect(approvals({ disks: [{ ...rootDisk, freeBytes: 1 }, modelDisk] })).toEqual([
      'install with the space that there is',
    ]);
  });

  test.each(['active', 'activating', 'deactivating', 'unknown'] as const)(
    'no node whose owner has something there that is %s',
    (active) => {
      expect(approvals({ state: { ...state, owner, units: [{ ...unit, active }] } })).toEqual([undefined]);
    },
  );

  test.each(['inactive', 'failed'] as const)('a node whose owner has only %s units there', (active) => {
    expect(approvals({ state: { ...state, owner, units: [{ ...unit, active }] } })).toEqual([
      expect.stringMatching(/^take the node from the cluster other \(home /),
    ]);
  });

  test('a node of another home with a cluster of the same name', () => {
    const same = { ...owner, cluster: spec.name, home: 'e'.repeat(16) };
    expect(approvals({ state: { ...state, owner: same } })).toEqual([
      expect.stringContaining(`home ${'e'.repeat(16)}`),
    ]);
  });

  test('nothing else', () => {
    expect(approvals({ listeners: [listener({ port: 6379 })], gpus: [] })).toEqual([undefined, undefined]);
  });
});
