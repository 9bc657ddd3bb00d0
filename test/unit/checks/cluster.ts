/** The seed's cluster as a spec and as facts, and small ways to change one thing in either. */
import type { NodeInput } from '../../../src/cluster/checks/check.ts';
import type { Listener, NodeFacts, Stranger } from '../../../src/cluster/facts/types.ts';
import type { Observed } from '../../../src/cluster/plan.ts';
import { ClusterFile, ClusterSpec } from '../../../src/config/schema.ts';

const ids = ['a', 'b', 'c', 'd'].map((digit) => digit.repeat(16));
export const [headId = '', secondId = ''] = ids;

export const file = ClusterFile.parse({
  schemaVersion: 1,
  name: 'nemotron',
  head: 'spark-ea8e',
  nodes: [
    { name: 'spark-ea8e', address: '10.0.0.25' },
    { name: 'spark-4080', address: '10.0.0.22' },
    { name: 'jetson-thor', address: '10.0.0.27' },
    { name: 'thorx', address: '10.0.0.26' },
  ],
  model: { id: 'nvidia/NVIDIA-Nemotron-3-Super-120B-A12B-NVFP4' },
  engine: { name: 'sglang', version: '0.5.21' },
  parallel: { pipeline: 4 },
});

export const spec: ClusterSpec = ClusterSpec.parse({
  ...file,
  nodes: file.nodes.map(({ ssh: _ssh, ...node }, at) => ({ ...node, id: ids[at] })),
  secrets: [],
});

/** The spec with some of its parts replaced. */
export const specWith = (parts: Record<string, unknown>): ClusterSpec =>
  ClusterSpec.parse({ ...spec, ...parts });

const gibibyte = 1024 ** 3;

/** A Spark at 10.0.0.25 on which all is well; give what is to be different. */
export function facts(changes: Partial<NodeFacts> = {}): NodeFacts {
  return {
    clock: Date.parse('2026-11-25T12:00:00Z'),
    hostName: 'spark-ea8e',
    machine: 'aarch64',
    glibc: '2.39',
    os: 'Ubuntu 24.04.3 LTS',
    user: { name: 'dgx', uid: 1000, home: '/home/dgx', groups: ['dgx', 'video', 'render'] },
    systemd: { running: true, version: 255, userManager: true, linger: true, polkit: true, unified: true },
    gpus: [{ name: 'NVIDIA GB10', capability: '12.1' }],
    gpuError: null,
    driver: '580.95.05',
    tegra: null,
    ptxas: ['/usr/local/cuda-13.0/bin/ptxas', '/usr/local/cuda-13/bin/ptxas', '/usr/local/cuda/bin/ptxas'],
    gpuDevicesClosed: [],
    hardware: 'spark',
    interfaces: [
      { name: 'lo', up: true, mtu: 65536, addresses: ['127.0.0.1', '::1'] },
      { name: 'enP7s7', up: true, mtu: 1500, addresses: ['192.168.1.31', 'fe80::1'] },
      { name: 'enp1s0f0np0', up: true, mtu: 9000, addresses: ['10.0.0.25', 'fe80::2'] },
      { name: 'enp1s0f1np1', up: false, mtu: 1500, addresses: ['10.0.9.9'] },
    ],
    rdmaInterfaces: [],
    memory: { totalBytes: 121.7 * gibibyte, availableBytes: 112 * gibibyte },
    disks: [
      {
        purpose: 'root',
        path: '/home/dgx/.local/share/windlass',
        freeBytes: 900 * gibibyte,
        fileSystem: 'ext4',
      },
      {
        purpose: 'model',
        path: '/home/dgx/.cache/huggingface',
        freeBytes: 900 * gibibyte,
        fileSystem: 'ext4',
      },
    ],
    listeners: [],
    strangers: [],
    pythons: [{ path: '/usr/bin/python3.12', version: '3.12.3' }],
    reach: [
      { url: 'https://pypi.org/simple', reachable: true, reason: null },
      { url: 'https://huggingface.co', reachable: true, reason: null },
    ],
    ownNameAddresses: ['10.0.0.25'],
    state: {
      identity: { id: headId, mintedAt: 1 },
      owner: null,
      payload: null,
      locks: {},
      environments: [],
      proofs: [],
      models: [],
      units: [],
    },
    ...changes,
  };
}

const thor: Partial<NodeFacts> = {
  gpus: [{ name: 'NVIDIA Thor', capability: '11.0' }],
  hardware: 'thor',
  ptxas: ['/usr/local/cuda/bin/ptxas'],
  tegra: '# R38 (release), REVISION: 2.0',
};

/** Facts of all four nodes of the seed; changes by the name of a node. */
export function observed(
  changes: Readonly<Record<string, Partial<NodeFacts>>> = {},
  wanted = spec,
): Observed[] {
  return wanted.nodes.map((node) => {
    const isThor = node.name.includes('thor');
    return {
      node,
      facts: facts({
        ...(isThor && thor),
        hostName: node.name,
        interfaces: [
          { name: isThor ? 'mgbe0_0' : 'enp1s0f0np0', up: true, mtu: 1500, addresses: [node.address] },
          { name: 'lo', up: true, mtu: 65536, addresses: ['127.0.0.1'] },
        ],
        ownNameAddresses: [node.address],
        state: { ...facts().state, identity: { id: node.id, mintedAt: 1 } },
        ...changes[node.name],
      }),
    };
  });
}

/** What a check of the head is given. */
export function input(changes: Partial<NodeFacts> = {}, nodeChanges: object = {}, wanted = spec): NodeInput {
  const [node] = wanted.nodes;
  if (!node) throw new Error('the spec has no nodes');
  return { spec: wanted, node: { ...node, ...nodeChanges }, facts: facts(changes), homeId: headId };
}

export function listener(changes: Partial<Listener>): Listener {
  return {
    port: 6379,
    address: '*',
    pid: null,
    process: null,
    user: 'root',
    unit: null,
    userUnit: false,
    ...changes,
  };
}

export function stranger(changes: Partial<Stranger>): Stranger {
  return {
    kind: 'ray',
    pid: 1,
    user: 'dgx',
    command: 'raylet',
    unit: null,
    userUnit: false,
    gpuBytes: null,
    ...changes,
  };
}
