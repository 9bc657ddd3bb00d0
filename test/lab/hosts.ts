/**
 * The four hosts of the lab, as data: two "Sparks" and two "Thors" at the addresses of the real cluster.
 * What differs between real machines differs here too: interface names, a decoy interface, a management address.
 */

export type Arch = 'x86_64' | 'aarch64';

export interface NetworkInterface {
  readonly name: string;
  /** Address with prefix length. */
  readonly address: string;
}

export interface HostSpec {
  readonly name: string;
  readonly kind: 'spark' | 'thor';
  /** The address other nodes use. */
  readonly address: string;
  /** The address that sshd answers on. */
  readonly sshAddress: string;
  /** The interface on the lab's bridge that has `address`. */
  readonly cluster: NetworkInterface;
  /** A second line to the bridge, for ssh only. */
  readonly management?: NetworkInterface;
  /** An interface that leads nowhere, with an address that no other node reaches. */
  readonly decoy?: NetworkInterface;
}

/** What the stand-in for nvidia-smi reads from /etc/windlass-lab/gpu.json. */
export interface GpuFacts {
  readonly name: string;
  readonly capability: string;
  readonly driver: string;
}

/** Address of the operator's end of the bridge. */
export const operatorAddress = '10.0.0.1';

/** The only user of a host besides root; it has no root rights and may use the GPU by the groups of its devices. */
export const user = { name: 'dgx', id: 1000, home: '/home/dgx' } as const;

/**
 * Return the user's primary group and the others. qemu 7.2 and 10.0 know SO_PEERGROUPS for a single group only: with two,
 * the user's systemd and whoever talks to it ask for ever. So on an emulated host the one group is the devices'.
 */
export const userGroups = (arch: Arch): { id: number; others: readonly string[] } =>
  arch === 'aarch64' ? { id: 44, others: [] } : { id: user.id, others: ['video', 'render'] };

export const hostSpecs: readonly HostSpec[] = [
  {
    name: 'spark-ea8e',
    kind: 'spark',
    address: '10.0.0.25',
    sshAddress: '10.0.0.25',
    cluster: { name: 'enp1s0f0np0', address: '10.0.0.25/24' },
  },
  {
    name: 'spark-4080',
    kind: 'spark',
    address: '10.0.0.22',
    sshAddress: '10.0.0.22',
    cluster: { name: 'enp1s0f0np0', address: '10.0.0.22/24' },
    decoy: { name: 'enp1s0f0', address: '10.99.0.22/24' },
  },
  {
    name: 'jetson-thor',
    kind: 'thor',
    address: '10.0.0.27',
    sshAddress: '10.0.0.27',
    cluster: { name: 'mgbe0_0', address: '10.0.0.27/24' },
  },
  {
    name: 'thorx',
    kind: 'thor',
    address: '10.0.0.26',
    sshAddress: '10.0.0.126',
    cluster: { name: 'mgbe0_0', address: '10.0.0.26/24' },
    management: { name: 'eth0', address: '10.0.0.126/24' },
  },
];

export const gpuFacts: Record<HostSpec['kind'], GpuFacts> = {
  spark: { name: 'NVIDIA GB10', capability: '12.1', driver: '580.95.05' },
  thor: { name: 'NVIDIA Thor', capability: '11.0', driver: '580.00' },
};

/** Device nodes by which software recognises the GPU; they lead to the null device. */
export const gpuDevices: Record<HostSpec['kind'], readonly string[]> = {
  spark: ['/dev/nvidia0'],
  thor: ['/dev/nvmap', '/dev/nvhost-gpu'],
};

/** Return the specification of a host, or throw naming those that exist. */
export function hostSpec(name: string): HostSpec {
  const spec = hostSpecs.find((host) => host.name === name);
  if (!spec)
    throw new Error(`no host ${name} in the lab; there are ${hostSpecs.map((h) => h.name).join(', ')}`);
  return spec;
}

/** Read which hosts shall be aarch64 from a list such as `thorx,jetson-thor`, or `all`. */
export function parseAarch64(list: string): string[] {
  if (list === 'all') return hostSpecs.map((host) => host.name);
  return list
    .split(',')
    .filter((name) => name !== '')
    .map((name) => hostSpec(name).name);
}
