/**
 * A Temporal service of the user's own. It believes whoever reaches it, and it is dialled without TLS: so it stands on
 * the head's loopback, unless the file says in so many words that the network protects it.
 */
import { BlockList, isIP } from 'node:net';
import type { Finding } from '../problems.ts';
import type { Sections } from '../sections.ts';
import { parseTemporalAddress } from '../temporal-address.ts';

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/** A name other than localhost may lead anywhere, and elsewhere tomorrow. */
function isLoopback(host: string): boolean {
  const version = isIP(host);
  if (version === 0) return host.toLowerCase() === 'localhost';
  return loopback.check(host, version === 6 ? 'ipv6' : 'ipv4');
}

/** Is the service on the head's loopback, where only the front lets nodes come in? The one that windlass keeps is. */
export function isBehindFront(address: string | undefined): boolean {
  if (address === undefined) return true;
  const host = parseTemporalAddress(address)?.host;
  return host !== undefined && isLoopback(host);
}

/** The schema sees the form of the address; port number and IPv6 address in brackets are looked at here, too. */
export function checkTemporal({ temporal: { address, plaintext } }: Sections): Finding[] {
  if (address === undefined) return [];
  const path = ['temporal', 'address'];
  if (parseTemporalAddress(address) === undefined) {
    return [{ path, message: `${address} is not host:port or [IPv6]:port` }];
  }
  if (plaintext === true || isBehindFront(address)) return [];
  return [
    {
      path,
      message:
        `${address} is not on the head’s loopback, and it would be dialled in plain text: whoever is on the way ` +
        'or reaches the service can start work on the nodes. Run the service on the head ' +
        '(docker-compose.temporal.yml), or lead a tunnel from there to it, and give its loopback address, as ' +
        '127.0.0.1:7233; where the network itself is encrypted, as in a VPN, set temporal.plaintext: true',
    },
  ];
}
