/**
 * Who listens on TCP ports of this machine, from the kernel's own tables: a connection would reach one address only,
 * and a port in TIME_WAIT, which a new listener may have, is none of them. Changes nothing.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { BlockList, isIPv6 } from 'node:net';
import { unitOf } from '../src/cluster/facts/processes.ts';
import { harmless } from '../src/cluster/facts/text.ts';
import type { Endpoint } from '../src/cluster/inputs.ts';

/** A listening socket, and whose it is. */
export interface Listening extends Endpoint {
  /** Null where the process belongs to another user: the kernel does not tell which it is. */
  readonly pid: number | null;
  readonly command: string | null;
  /** The unit that holds the process, without `.service`; null for none. */
  readonly unit: string | null;
  readonly uid: number;
}

interface Socket extends Endpoint {
  readonly uid: number;
  readonly inode: string;
}

/** TCP_LISTEN of the kernel's include/net/tcp_states.h. */
const listenState = '0A';

/** The listeners that keep a new one from any of the endpoints. */
export async function readListening(endpoints: readonly Endpoint[]): Promise<Listening[]> {
  const tables = await Promise.all(
    ['/proc/net/tcp', '/proc/net/tcp6'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  const found = tables
    .flatMap(parseTable)
    .filter((socket) => endpoints.some((each) => collides(socket, each)));
  if (found.length === 0) return [];
  const holders = await holdersOf(new Set(found.map((socket) => socket.inode)));
  return Promise.all(
    found.map(async ({ address, port, uid, inode }) => {
      const pid = holders.get(inode) ?? null;
      return { address, port, uid, pid, ...(await describe(pid)) };
    }),
  );
}

/** Listening sockets in a table of /proc/net, whose addresses are words in the machine's own (little) byte order. */
export function parseTable(table: string): Socket[] {
  return table.split('\n').flatMap((line) => {
    const [, local = '', , state, , , , uid, , inode] = line.trim().split(/\s+/);
    const [address = '', port = ''] = local.split(':');
    if (state !== listenState || inode === undefined) return [];
    return [{ address: readAddress(address), port: Number.parseInt(port, 16), uid: Number(uid), inode }];
  });
}

function readAddress(hex: string): string {
  const bytes = [...hex.matchAll(/.{8}/g)].flatMap(([word]) => [...Buffer.from(word, 'hex')].toReversed());
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from(
    { length: 8 },
    (_none, at) => (bytes[2 * at] ?? 0) * 256 + (bytes[2 * at + 1] ?? 0),
  );
  return groups.map((group) => group.toString(16)).join(':');
}

const family = (address: string) => (isIPv6(address) ? 'ipv6' : 'ipv4');
const isWildcard = (address: string): boolean => /^[0:.]+$/.test(address);

function collides(one: Endpoint, other: Endpoint): boolean {
  if (one.port !== other.port) return false;
  if (isWildcard(one.address) || isWildcard(other.address)) return true;
  // Addresses have several spellings, and an IPv4 address may stand in the table of IPv6.
  const list = new BlockList();
  list.addAddress(one.address, family(one.address));
  return list.check(other.address, family(other.address));
}

/** Inode → pid of the process that has it open, of those that this user may look at. */
async function holdersOf(inodes: ReadonlySet<string>): Promise<Map<string, number>> {
  const holders = new Map<string, number>();
  for (const pid of (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name))) {
    const files = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const file of files) {
      const target = await readlink(`/proc/${pid}/fd/${file}`).catch(() => '');
      const inode = /^socket:\[([0-9]+)\]$/.exec(target)?.[1];
      if (inode !== undefined && inodes.has(inode)) holders.set(inode, Number(pid));
    }
  }
  return holders;
}

async function describe(pid: number | null): Promise<Pick<Listening, 'command' | 'unit'>> {
  if (pid === null) return { command: null, unit: null };
  const read = (name: string) => readFile(`/proc/${pid}/${name}`, 'utf8').catch(() => '');
  const [commandLine, groups] = await Promise.all([read('cmdline'), read('cgroup')]);
  const controlGroup = /^(?:0:|[0-9]+:name=systemd):(\/.+)$/m.exec(groups)?.[1] ?? null;
  return {
    command: harmless(commandLine.replaceAll('\0', ' ').trim(), 200) || null,
    unit: unitOf(controlGroup).unit?.replace(/\.service$/, '') ?? null,
  };
}
