/** What listens on a host for others, against the table of ports in the README, which is what people build firewalls by. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from './stage.ts';
import type { Host } from './host.ts';

interface Row {
  readonly ports: readonly (readonly [from: number, to: number])[];
  readonly headOnly: boolean;
  /** Addresses that the row speaks of; null for any. */
  readonly address: 'loopback' | 'cluster address' | null;
}

/** The rows of the table whose first column is the port. */
export async function readPortTable(): Promise<Row[]> {
  const readme = await readFile(join(repository, 'README.md'), 'utf8');
  const [, table = ''] = /^\| port .*\n\|[- |]+\n((?:\|.*\n)+)/m.exec(readme) ?? [];
  const rows = table
    .trim()
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.map(([, ports = '', place = '']) => ({
    ports: [...ports.matchAll(/(\d+)(?:–(\d+)| and above)?/g)].map(([text, from, to]) => [
      Number(from),
      text.endsWith('above') ? 65_535 : Number(to ?? from),
    ]),
    headOnly: place.startsWith('head'),
    address: place.includes('loopback')
      ? 'loopback'
      : place.includes('cluster address')
        ? 'cluster address'
        : null,
  }));
}

/** Sockets of a user's processes that others could reach and that no row of the table names, as `address:port process`. */
export async function unlistedSockets(
  host: Host,
  isHead: boolean,
  clusterAddress: string,
): Promise<string[]> {
  const table = await readPortTable();
  const { stdout } = await host.exec(['ss', '-H', '-ltnp'], { user: 'root' });
  return stdout.split('\n').flatMap((line) => {
    const [, , , local = '', , ...rest] = line.trim().split(/\s+/);
    const [, address = '', port = ''] = /^(.*):(\d+)$/.exec(local) ?? [];
    const process = rest.join(' ');
    // sshd and its like are the host's own; they listened before.
    if (/"(?:sshd|systemd[a-z-]*)"/.test(process) || /^(?:127\.|\[::1\])/.test(address)) return [];
    const isListed = table.some(
      (row) =>
        (!row.headOnly || isHead) &&
        (row.address === null || (row.address === 'cluster address' && address === clusterAddress)) &&
        row.ports.some(([from, to]) => from <= Number(port) && Number(port) <= to),
    );
    return isListed ? [] : [`${address}:${port} ${process}`];
  });
}
