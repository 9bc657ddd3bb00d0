/** The address of a Temporal service, as a person writes it. */
import { isIPv6 } from 'node:net';

interface Address {
  readonly host: string;
  readonly port: number;
}

/** Read `host:port` or `[IPv6]:port`; undefined for anything else, a URL too. */
export function parseTemporalAddress(text: string): Address | undefined {
  const [, inBrackets, name, digits = ''] =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?)):([0-9]{1,5})$/.exec(text) ?? [];
  const host = inBrackets ?? name;
  const port = Number(digits);
  const isRight = host !== undefined && (inBrackets === undefined || isIPv6(inBrackets));
  return isRight && port >= 1 && port <= 65_535 ? { host, port } : undefined;
}
