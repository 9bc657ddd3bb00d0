/** Addresses by what they are for: each node's own, reachable by the other nodes, written in one way. */
import { canonicalAddress } from '../../cluster/address.ts';
import type { Finding } from '../problems.ts';
import { BlockList, isIPv6 } from 'node:net';
import type { Positions } from '../positions.ts';
import type { Sections } from '../sections.ts';

type Family = 'ipv4' | 'ipv6';
type Subnet = readonly [net: string, prefix: number, family: Family];

interface AddressClass {
  readonly name: string;
  readonly subnets: readonly Subnet[];
  readonly why: string;
}

/** Classes of addresses that cannot be a node's, each with its own sentence. */
const classes: readonly AddressClass[] = [
  {
    name: 'loopback',
    subnets: [
      ['127.0.0.0', 8, 'ipv4'],
      ['::1', 128, 'ipv6'],
    ],
    why: 'is a loopback address, which the other nodes cannot reach; use its address on the cluster network',
  },
  {
    name: 'unspecified',
    subnets: [
      ['0.0.0.0', 8, 'ipv4'],
      ['::', 128, 'ipv6'],
    ],
    why: 'stands for every address and for none; use its address on the cluster network',
  },
  {
    name: 'broadcast',
    subnets: [['255.255.255.255', 32, 'ipv4']],
    why: 'is the broadcast address, which belongs to no machine',
  },
  {
    name: 'multicast',
    subnets: [
      ['224.0.0.0', 4, 'ipv4'],
      ['ff00::', 8, 'ipv6'],
    ],
    why: 'is a multicast address, which belongs to no machine',
  },
  {
    name: 'link-local',
    subnets: [
      ['169.254.0.0', 16, 'ipv4'],
      ['fe80::', 10, 'ipv6'],
    ],
    why: 'is a link-local address, which a machine gives itself when it got none; use its address on the cluster network',
  },
  {
    name: 'mapped',
    subnets: [['::ffff:0:0', 96, 'ipv6']],
    why: 'is an IPv4 address in IPv6 form; write it as IPv4',
  },
];

const family = (address: string): Family => (isIPv6(address) ? 'ipv6' : 'ipv4');

/** node:net counts an IPv4 address as its mapped IPv6 form, too: only subnets of its own family are asked. */
function classOf(address: string): AddressClass | undefined {
  return classes.find(({ subnets }) =>
    subnets.some(([net, prefix, of]) => {
      if (of !== family(address)) return false;
      const list = new BlockList();
      list.addSubnet(net, prefix, of);
      return list.check(address, of);
    }),
  );
}

export function checkAddresses(sections: Sections, source: Positions): Finding[] {
  const { nodes } = sections;
  return [
    ...nodes.flatMap(({ address }, index) => checkClass(address, index, nodes.length)),
    ...checkUnique(nodes, source),
    ...checkFamilies(nodes),
    ...checkServing(sections),
  ];
}

function checkClass(address: string | undefined, index: number, count: number): Finding[] {
  const found = address === undefined ? undefined : classOf(address);
  // A cluster of one machine talks to itself only.
  if (!found || (found.name === 'loopback' && count === 1)) return [];
  return [{ path: ['nodes', index, 'address'], message: `${address} ${found.why}` }];
}

function checkUnique(nodes: Sections['nodes'], source: Positions): Finding[] {
  const first = new Map<string, number>();
  return nodes.flatMap(({ address }, index) => {
    if (address === undefined) return [];
    const key = canonicalAddress(address);
    const other = first.get(key);
    if (other === undefined) {
      first.set(key, index);
      return [];
    }
    const line = source.lineOf(['nodes', other, 'address']);
    return [
      {
        path: ['nodes', index, 'address'],
        message: `${address} is already used by ${nodes[other]?.name ?? 'another node'} (line ${line})`,
      },
    ];
  });
}

function checkFamilies(nodes: Sections['nodes']): Finding[] {
  const addresses = nodes.map((node) => node.address);
  const first = addresses.find((address) => address !== undefined);
  if (first === undefined) return [];
  const odd = addresses.findIndex((address) => address !== undefined && family(address) !== family(first));
  if (odd === -1) return [];
  return [
    {
      path: ['nodes', odd, 'address'],
      message: `${addresses[odd]} is of another family than ${first}; all nodes use IPv4, or all IPv6`,
    },
  ];
}

function checkServing({ serving }: Sections): Finding[] {
  const found = serving.address === undefined ? undefined : classOf(serving.address);
  if (!found || found.name === 'loopback') return [];
  return [{ path: ['serving', 'address'], message: `${serving.address} ${found.why}` }];
}
