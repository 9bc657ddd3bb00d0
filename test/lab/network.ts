/**
 * The lab's network: a namespace that has a bridge, the hosts and no way out. No packet for the hosts can leave the
 * machine, also while the lab is half up, because nothing in the namespace leads to the machine's own interfaces.
 */
import { stat, writeFile } from 'node:fs/promises';
import { operatorAddress, type HostSpec } from './hosts.ts';
import type { LabNames } from './names.ts';
import { run } from './run.ts';

const bridge = 'br0';

/** Names of the hosts' ends at the bridge; nspawn names the first, and 15 characters are the kernel's limit. */
export const clusterPort = (host: HostSpec): string => `vb-${host.name}`;
export const managementPort = (host: HostSpec): string => `vm-${host.name}`;
/** The far end of a decoy interface; it is in no bridge. */
const decoyPort = (host: HostSpec): string => `vd-${host.name}`;

/** Arguments that make nsenter run a program in the lab's network namespace and change nothing else. */
export const inNetwork = (names: LabNames, ...argv: string[]): string[] => [
  `--net=${names.netns}`,
  '--',
  ...argv,
];

/** Make the namespace and its bridge. */
export async function makeNetwork(names: LabNames): Promise<void> {
  await writeFile(names.netns, '');
  await run('unshare', [`--net=${names.netns}`, 'true']);
  const script = `
    ip link set lo up
    ip link add ${bridge} type bridge
    ip addr add ${operatorAddress}/24 dev ${bridge}
    ip link set ${bridge} up`;
  await run('nsenter', inNetwork(names, 'sh', '-ec', script));
}

/** Read the inode of the lab's network namespace, by which its processes are recognised. */
export async function readNetworkInode(names: LabNames): Promise<number | undefined> {
  return stat(names.netns).then(
    ({ ino }) => ino,
    () => undefined,
  );
}

/** Name and address the interfaces of a host that has just started, and plug its lines into the bridge. */
export async function connectHost(names: LabNames, host: HostSpec, leader: number): Promise<void> {
  const { cluster, management, decoy } = host;
  const inside = [
    'ip link set lo up',
    `ip link set host0 name ${cluster.name}`,
    `ip addr add ${cluster.address} dev ${cluster.name}`,
    `ip link set ${cluster.name} up`,
  ];
  if (management) {
    await run('nsenter', inNetwork(names, 'ip', 'link', 'set', managementPort(host), 'master', bridge, 'up'));
    inside.push(...managementCommands(management));
  }
  if (decoy) {
    // After a power cut the kernel takes its time with the old host's end, and so with this one.
    const old = `ip link del ${decoyPort(host)} 2>/dev/null || true`;
    const end = `ip link add ${decoyPort(host)} type veth peer name ${decoy.name} netns ${String(leader)}`;
    await run('nsenter', inNetwork(names, 'sh', '-ec', `${old}\n${end}\nip link set ${decoyPort(host)} up`));
    inside.push(`ip addr add ${decoy.address} dev ${decoy.name}`, `ip link set ${decoy.name} up`);
  }
  await run('nsenter', ['-t', String(leader), '-n', '--', 'sh', '-ec', inside.join('\n')]);
}

/** Two lines to one network: each answers for its own address only, as on a host with two real networks. */
function managementCommands({ name, address }: { name: string; address: string }): string[] {
  const bare = address.split('/')[0] ?? address;
  return [
    'sysctl -qw net.ipv4.conf.all.arp_ignore=1 net.ipv4.conf.all.arp_announce=2',
    `ip addr add ${address} dev ${name} noprefixroute`,
    `ip link set ${name} up`,
    `ip route add 10.0.0.0/24 dev ${name} src ${bare} table 126`,
    `ip rule add from ${bare} lookup 126`,
  ];
}

/** Plug or unplug lines of a host at the bridge; the host sees its carrier come and go. */
export async function setLines(
  names: LabNames,
  ports: readonly string[],
  state: 'up' | 'down',
): Promise<void> {
  const commands = ports.map((port) => `ip link set ${port} ${state}`);
  await run('nsenter', inNetwork(names, 'sh', '-ec', commands.join('\n')));
}
