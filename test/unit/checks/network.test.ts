import { describe, expect, it } from '@jest/globals';
import type { NodeFacts } from '../../../src/cluster/facts/types.ts';
import { hasRoceEverywhere, interfaceOf, nodeVariables } from '../../../src/cluster/network.ts';
import type { ClusterSpec, HardwareClass } from '../../../src/config/schema.ts';
import { facts, observed, spec, specWith } from './cluster.ts';

const seed: readonly HardwareClass[] = ['spark', 'spark', 'thor', 'thor'];

function variables(
  name: string,
  options: {
    classes?: readonly HardwareClass[];
    wanted?: ClusterSpec;
    changes?: Partial<NodeFacts>;
    roceEverywhere?: boolean;
  } = {},
): Record<string, string> {
  const { classes = seed, wanted = spec, changes = {}, roceEverywhere } = options;
  const found = observed({ [name]: changes }, wanted).find(({ node }) => node.name === name);
  if (!found) throw new Error(`there is no node ${name}`);
  return nodeVariables({
    spec: wanted,
    ...found,
    hardware: found.facts.hardware,
    classes,
    ...(roceEverywhere !== undefined && { roceEverywhere }),
  });
}

const caches = {
  TRITON_CACHE_DIR: '/home/dgx/.local/share/windlass/cache/triton',
  TORCHINDUCTOR_CACHE_DIR: '/home/dgx/.local/share/windlass/cache/inductor',
  TORCH_EXTENSIONS_DIR: '/home/dgx/.local/share/windlass/cache/torch-extensions',
  FLASHINFER_WORKSPACE_BASE: '/home/dgx/.local/share/windlass/cache/flashinfer',
  CUDA_CACHE_PATH: '/home/dgx/.local/share/windlass/cache/cuda',
  HF_HUB_OFFLINE: '1',
};

const mixed = {
  NCCL_SOCKET_FAMILY: 'AF_INET',
  NCCL_IB_DISABLE: '1',
  NCCL_PROTO: 'Simple',
  NCCL_DEBUG: 'WARN',
  TRITON_PTXAS_PATH: '/usr/local/cuda/bin/ptxas',
  TRITON_PTXAS_BLACKWELL_PATH: '/usr/local/cuda/bin/ptxas',
  RAY_memory_monitor_refresh_ms: '0',
  ...caches,
};

describe('the seed’s cluster', () => {
  it.each([
    ['spark-ea8e', 'enp1s0f0np0', '/usr/local/cuda-13', '12.1a'],
    ['spark-4080', 'enp1s0f0np0', '/usr/local/cuda-13', '12.1a'],
    ['jetson-thor', 'mgbe0_0', '/usr/local/cuda', '11.0a'],
    ['thorx', 'mgbe0_0', '/usr/local/cuda', '11.0a'],
  ])('%s', (name, device, cudaHome, archList) => {
    expect(variables(name)).toEqual({
      NCCL_SOCKET_IFNAME: `=${device}`,
      GLOO_SOCKET_IFNAME: device,
      CUDA_HOME: cudaHome,
      TORCH_CUDA_ARCH_LIST: archList,
      ...mixed,
    });
  });
});

const transport = (value: string) => specWith({ network: { transport: value } });

const sparkNodes = (changes: Record<string, Partial<NodeFacts>>) =>
  observed(changes).filter(({ node }) => node.name.startsWith('spark'));

describe('transport: one for the whole cluster', () => {
  const sparks: readonly HardwareClass[] = ['spark', 'spark'];
  it.each([
    ['mixed classes', { roceEverywhere: true }, '1', 'Simple'],
    [
      'mixed classes, RoCE demanded',
      { wanted: transport('roce'), roceEverywhere: true },
      undefined,
      'Simple',
    ],
    ['Sparks with RoCE everywhere', { classes: sparks, roceEverywhere: true }, undefined, undefined],
    ['Sparks, one without RoCE', { classes: sparks, roceEverywhere: false }, '1', undefined],
    ['Sparks of which it is not known', { classes: sparks }, '1', undefined],
    [
      'Sparks, sockets demanded',
      { classes: sparks, wanted: transport('socket'), roceEverywhere: true },
      '1',
      undefined,
    ],
  ])('%s', (_what, options, disabled, protocol) => {
    const { NCCL_IB_DISABLE, NCCL_PROTO } = variables('spark-ea8e', options);
    expect([NCCL_IB_DISABLE, NCCL_PROTO]).toEqual([disabled, protocol]);
  });

  it('counts RoCE only where the interface of the cluster address has it', () => {
    const active = { rdmaInterfaces: ['enp1s0f0np0'] };
    expect(hasRoceEverywhere(sparkNodes({ 'spark-ea8e': active, 'spark-4080': active }))).toBe(true);
    expect(hasRoceEverywhere(sparkNodes({ 'spark-ea8e': active }))).toBe(false);
    expect(
      hasRoceEverywhere(
        sparkNodes({ 'spark-ea8e': active, 'spark-4080': { rdmaInterfaces: ['enp1s0f1np1'] } }),
      ),
    ).toBe(false);
    expect(
      hasRoceEverywhere(sparkNodes({ 'spark-ea8e': { ...active, interfaces: [] }, 'spark-4080': active })),
    ).toBe(false);
  });
});

const ptxas = (...homes: string[]) => ({
  changes: { ptxas: homes.map((home) => `/usr/local/${home}/bin/ptxas`) },
});

describe('CUDA and the assembler', () => {
  it.each([
    ['none', ptxas(), undefined, undefined],
    ['an old one only', ptxas('cuda-12.8'), undefined, undefined],
    [
      'an old one only, with the usual link to it',
      ptxas('cuda', 'cuda-12', 'cuda-12.8'),
      undefined,
      undefined,
    ],
    [
      'an old one beside a new one, and a link to either',
      ptxas('cuda', 'cuda-12.9', 'cuda-13.0'),
      '/usr/local/cuda-13.0',
      '/usr/local/cuda-13.0/bin/ptxas',
    ],
    ['the usual link', ptxas('cuda', 'cuda-13.0'), '/usr/local/cuda', '/usr/local/cuda/bin/ptxas'],
    [
      'numbered ones: the newest',
      ptxas('cuda-13.0', 'cuda-13.10', 'cuda-13.2', 'cuda-12.9'),
      '/usr/local/cuda-13.10',
      '/usr/local/cuda-13.10/bin/ptxas',
    ],
    [
      'another GPU with an old one: as its owner linked it, and Triton’s own assembler',
      { changes: { ...ptxas('cuda', 'cuda-12.8', 'cuda-13.0').changes, hardware: 'other' as const } },
      '/usr/local/cuda',
      undefined,
    ],
  ])('%s', (_what, options, home, assembler) => {
    const found = variables('spark-ea8e', options);
    expect([found['CUDA_HOME'], found['TRITON_PTXAS_PATH'], found['TRITON_PTXAS_BLACKWELL_PATH']]).toEqual([
      home,
      assembler,
      assembler,
    ]);
  });
});

describe('other nodes, and what the file says', () => {
  it('a GPU with memory of its own keeps Ray’s memory monitor, and compiles for what it finds', () => {
    const found = variables('spark-ea8e', { changes: { hardware: 'other' }, classes: ['other'] });
    expect(found).not.toHaveProperty('RAY_memory_monitor_refresh_ms');
    expect(found).not.toHaveProperty('TORCH_CUDA_ARCH_LIST');
    expect(found).not.toHaveProperty('NCCL_PROTO');
  });

  it('vLLM is told its address; IPv6 has a family of its own', () => {
    const wanted = specWith({
      engine: { name: 'vllm', version: '0.33.0' },
      nodes: spec.nodes.map((node, at) => ({ ...node, address: `fd00::${at + 1}` })),
    });
    expect(variables('spark-ea8e', { wanted })).toMatchObject({
      VLLM_HOST_IP: 'fd00::1',
      NCCL_SOCKET_FAMILY: 'AF_INET6',
    });
  });

  it('computed values give way to those of the class, and these to network.nccl and network.gloo', () => {
    const wanted = specWith({
      environments: { spark: { variables: { NCCL_DEBUG: 'INFO', CUDA_HOME: '/opt/cuda', OWN: '1' } } },
      network: { nccl: { NCCL_DEBUG: 'TRACE' }, gloo: { GLOO_SOCKET_IFNAME: 'bond0' } },
    });
    expect(variables('spark-ea8e', { wanted })).toMatchObject({
      NCCL_DEBUG: 'TRACE',
      CUDA_HOME: '/opt/cuda',
      OWN: '1',
      GLOO_SOCKET_IFNAME: 'bond0',
    });
    expect(variables('thorx', { wanted })).not.toHaveProperty('OWN');
  });

  it('an interface that the file names is taken as it stands', () => {
    const wanted = specWith({ nodes: spec.nodes.map((node) => ({ ...node, interface: 'bond0' })) });
    expect(variables('thorx', { wanted })).toMatchObject({
      NCCL_SOCKET_IFNAME: '=bond0',
      GLOO_SOCKET_IFNAME: 'bond0',
    });
  });

  it('a node whose address no interface holds gets no guess', () => {
    expect(() => variables('thorx', { changes: { interfaces: [] } })).toThrow(
      'no interface of thorx holds the address 10.0.0.26',
    );
  });

  it('compares addresses exactly', () => {
    expect(interfaceOf(facts(), '10.0.0.25')).toBe('enp1s0f0np0');
    expect(interfaceOf(facts(), '10.0.0.2')).toBeNull();
    expect(
      interfaceOf(
        facts({ interfaces: [{ name: 'x', up: true, mtu: 1, addresses: ['fd00::A'] }] }),
        'FD00:0:0::a',
      ),
    ).toBe('x');
  });
});
