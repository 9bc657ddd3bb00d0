/**
 * The environment in which Ray is started on a node. Actors inherit the raylet's environment and not the launcher's,
 * so everything for NCCL, Gloo, Triton, CUDA and the caches is decided here, per node, and set there. Pure.
 */
import type { ClusterSpec, HardwareClass, SpecNode } from '../config/schema.ts';
import { fail } from '../errors.ts';
import { canonicalAddress } from './address.ts';
import type { NodeFacts } from './facts/types.ts';
import { expandHome, layoutOf } from './layout.ts';

/** What of a node's facts decides its environment. */
export type NetworkFacts = Pick<NodeFacts, 'interfaces' | 'ptxas' | 'user'>;

export interface NodeVariablesInput {
  readonly spec: Pick<ClusterSpec, 'network' | 'engine' | 'environments' | 'root'>;
  readonly node: Pick<SpecNode, 'name' | 'address' | 'interface'>;
  readonly facts: NetworkFacts;
  readonly hardware: HardwareClass;
  /** Classes of all nodes of the cluster. */
  readonly classes: readonly HardwareClass[];
  /** Does every node have an active RDMA device on its cluster interface? Unknown counts as no. */
  readonly roceEverywhere?: boolean;
}

type Variables = Readonly<Record<string, string>>;

/** The interface that holds the address, by exact comparison; null when none does. */
export function interfaceOf(facts: Pick<NodeFacts, 'interfaces'>, address: string): string | null {
  const wanted = canonicalAddress(address);
  const holds = ({ addresses }: NodeFacts['interfaces'][number]) =>
    addresses.some((held) => canonicalAddress(held) === wanted);
  return facts.interfaces.find(holds)?.name ?? null;
}

interface OnNetwork {
  readonly node: Pick<SpecNode, 'address'>;
  readonly facts: Pick<NodeFacts, 'interfaces' | 'rdmaInterfaces'>;
}

/** Is the node's cluster interface one with an active RDMA device? */
export function holdsRoce({ node, facts }: OnNetwork): boolean {
  const holder = interfaceOf(facts, node.address);
  return holder !== null && facts.rdmaInterfaces.includes(holder);
}

/** Can RoCE be used between these nodes? */
export const hasRoceEverywhere = (nodes: readonly OnNetwork[]): boolean => nodes.every(holdsRoce);

/**
 * Variables for `ray start` on one node: what is computed, then the class's own, then `network.nccl` and
 * `network.gloo`. Throws SPEC_INVALID when no interface holds the node's address and the file names none.
 */
export function nodeVariables(input: NodeVariablesInput): Record<string, string> {
  const { spec, hardware } = input;
  return {
    ...ncclAndGloo(input),
    ...toolchain(input.facts, hardware),
    ...caches(layoutOf(expandHome(spec.root, input.facts.user.home)).cache),
    ...(spec.engine.name === 'vllm' && { VLLM_HOST_IP: input.node.address }),
    ...spec.environments[hardware]?.variables,
    ...spec.network.nccl,
    ...spec.network.gloo,
  };
}

function ncclAndGloo(input: NodeVariablesInput): Variables {
  const { node, facts } = input;
  const name = node.interface ?? interfaceOf(facts, node.address);
  if (name === null) {
    throw fail('SPEC_INVALID', {
      problems: `no interface of ${node.name} holds the address ${node.address}`,
    });
  }
  return {
    // The leading "=" means exactly this one: without it enp1s0f0 would also match its sibling enp1s0f0np0.
    NCCL_SOCKET_IFNAME: `=${name}`,
    // Gloo knows neither "=" nor "^". Unset, it would bind to what the host's own name resolves to.
    GLOO_SOCKET_IFNAME: name,
    // A link-local IPv6 address beside the wanted one is "Network is unreachable" to the peers.
    NCCL_SOCKET_FAMILY: node.address.includes(':') ? 'AF_INET6' : 'AF_INET',
    ...(transportOf(input) === 'socket' && { NCCL_IB_DISABLE: '1' }),
    ...(isMixed(input.classes) && { NCCL_PROTO: 'Simple' }),
    NCCL_DEBUG: 'WARN',
  };
}

/** One choice for all nodes: where transports are mixed, NCCL throws the odd connection away and waits for ever. */
function transportOf({ spec, classes, roceEverywhere }: NodeVariablesInput): 'socket' | 'roce' {
  const { transport } = spec.network;
  if (transport !== 'auto') return transport;
  const areAllSparks = classes.every((each) => each === 'spark');
  return areAllSparks && roceEverywhere === true ? 'roce' : 'socket';
}

function isMixed(classes: readonly HardwareClass[]): boolean {
  return new Set(classes).size > 1;
}

/** Architectures for what is compiled on the node; wheels are not changed by them. */
const archLists: Readonly<Record<HardwareClass, string | null>> = {
  spark: '12.1a',
  thor: '11.0a',
  other: null,
};

function toolchain(facts: NetworkFacts, hardware: HardwareClass): Variables {
  const archList = archLists[hardware];
  const homes = facts.ptxas.map((path) => path.replace(/\/bin\/ptxas$/, ''));
  const isOther = hardware === 'other';
  // What an older CUDA can do for another GPU is its owner's matter; Triton brings an assembler that fits its wheels.
  const hasOlder = homes.some((home) => versionOf(home) < oldestCuda);
  const link = hasOlder && !isOther ? [] : ['/usr/local/cuda'];
  const cuda = pick(homes, hardware === 'spark' ? ['/usr/local/cuda-13', ...link] : link);
  const assembler = hasOlder && isOther ? null : pick(homes, [...link, '/usr/local/cuda-13']);
  return {
    ...(cuda !== null && { CUDA_HOME: cuda }),
    // Triton passes over a path that does not exist without a word, and takes the file that it brings. From 3.6 on the
    // second variable is the one that counts for capability 10 and above.
    ...(assembler !== null && {
      TRITON_PTXAS_PATH: `${assembler}/bin/ptxas`,
      TRITON_PTXAS_BLACKWELL_PATH: `${assembler}/bin/ptxas`,
    }),
    ...(archList !== null && { TORCH_CUDA_ARCH_LIST: archList }),
    // Weights and KV cache of a GPU with unified memory count as host memory: Ray would kill what is loaded correctly.
    ...(hardware !== 'other' && { RAY_memory_monitor_refresh_ms: '0' }),
  };
}

/** What is compiled at first use stays under our root, and is there for the next start. */
function caches(folder: string): Variables {
  return {
    TRITON_CACHE_DIR: `${folder}/triton`,
    TORCHINDUCTOR_CACHE_DIR: `${folder}/inductor`,
    TORCH_EXTENSIONS_DIR: `${folder}/torch-extensions`,
    FLASHINFER_WORKSPACE_BASE: `${folder}/flashinfer`,
    CUDA_CACHE_PATH: `${folder}/cuda`,
    // The model lies on the node already; an engine that asks the hub may get another one.
    HF_HUB_OFFLINE: '1',
  };
}

/** Older ones know neither architecture. */
const oldestCuda = 13_000;

/** The version in a folder's name, 13.2 as 13002; NaN for the link `/usr/local/cuda`, which leads to any of them. */
function versionOf(home: string): number {
  const [, major, minor = '0'] = /\/cuda-([0-9]+)(?:\.([0-9]+))?$/.exec(home) ?? [];
  return Number(major) * 1000 + Number(minor);
}

/** The preferred folder that exists, else the newest CUDA 13 or later there is, else none. */
function pick(homes: readonly string[], preferred: readonly string[]): string | null {
  const found = preferred.find((home) => homes.includes(home));
  if (found !== undefined) return found;
  const usable = homes.filter((home) => versionOf(home) >= oldestCuda);
  return usable.toSorted((a, b) => versionOf(b) - versionOf(a))[0] ?? null;
}
