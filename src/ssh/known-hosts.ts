/**
 * Is this the host that it claims to be? Judged by the pin of the cluster file, or else by OpenSSH's known_hosts.
 * Nothing here ever writes: a first contact is a person's decision.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { ServerHostKeyAlgorithm } from 'ssh2';

export type HostKeyVerdict =
  | { readonly verdict: 'known' | 'unknown'; readonly offered: string }
  | {
      readonly verdict: 'changed';
      readonly offered: string;
      /** What would have been right: fingerprints, each with the line of known_hosts that holds it. */
      readonly expected: readonly string[];
    };

/** One line of a known_hosts file. */
export interface KnownHost {
  /** The comma-separated patterns, or one hashed name. */
  readonly hosts: string;
  readonly type: string;
  readonly key: Buffer;
  readonly isRevoked: boolean;
  /** Where it stands, as `file:line`. */
  readonly place: string;
}

/** How a host is looked up in known_hosts. */
export interface HostName {
  readonly host: string;
  readonly port: number;
  readonly hostKeyAlias?: string;
}

const LARGEST_FILE = 16 * 1024 * 1024;
const SSH_PORT = 22;

/** Return the fingerprint of a host key as OpenSSH prints it: SHA256 and 43 characters. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** A pin is a fingerprint as OpenSSH prints it. */
export function isHostKeyPin(pin: string): boolean {
  return /^SHA256:[A-Za-z0-9+/]{43}$/.test(pin);
}

/** Return the type that a host key names inside itself, such as ssh-ed25519. */
export function keyType(key: Buffer): string {
  const length = key.length >= 4 ? key.readUInt32BE(0) : 0;
  return length <= 64 ? key.subarray(4, 4 + length).toString('latin1') : '?';
}

/** Read known_hosts files; one that is not there holds nothing. */
export async function readKnownHosts(paths: readonly string[]): Promise<KnownHost[]> {
  const texts = await Promise.all(paths.map(readSmallFile));
  return texts.flatMap((text, index) => parseKnownHosts(text, paths[index]));
}

/** Parse a known_hosts file. Lines that OpenSSH would skip are skipped, and certificate authorities, which ssh2 cannot use. */
export function parseKnownHosts(text: string, path = 'known_hosts'): KnownHost[] {
  return text.split('\n').flatMap((line, index) => {
    const fields = line.trim().split(/\s+/);
    const marker = fields[0]?.startsWith('@') === true ? fields.shift() : undefined;
    const [hosts, type, encoded] = fields;
    if (hosts === undefined || type === undefined || encoded === undefined || hosts.startsWith('#'))
      return [];
    const key = Buffer.from(encoded, 'base64');
    if (keyType(key) !== type || (marker !== undefined && marker !== '@revoked')) return [];
    return [{ hosts, type, key, isRevoked: marker === '@revoked', place: `${path}:${index + 1}` }];
  });
}

/** Return the keys accepted for a host, and the ones that are revoked for it. */
export function keysFor(
  entries: readonly KnownHost[],
  name: HostName,
): { accepted: KnownHost[]; revoked: KnownHost[] } {
  const own = lookupNames(name);
  const [exact, plain] = own.map((candidate) => entries.filter((entry) => matches(entry.hosts, candidate)));
  // Like OpenSSH: an entry without a port also vouches for other ports, but only if there is none with the port.
  const found =
    exact?.some((entry) => !entry.isRevoked) === true ? exact : [...(exact ?? []), ...(plain ?? [])];
  return {
    accepted: found.filter((entry) => !entry.isRevoked),
    revoked: found.filter((entry) => entry.isRevoked),
  };
}

/** Judge the key that a host offered. Pins of the cluster file, where there are any, are the only ones that count. */
export function judgeHostKey(
  offeredKey: Buffer,
  pins: readonly string[],
  entries: readonly KnownHost[],
  name: HostName,
): HostKeyVerdict {
  const offered = fingerprint(offeredKey);
  if (pins.length > 0) {
    return pins.includes(offered)
      ? { verdict: 'known', offered }
      : { verdict: 'changed', offered, expected: pins };
  }
  const { accepted, revoked } = keysFor(entries, name);
  const expected = accepted.map((entry) => `${fingerprint(entry.key)} (${entry.place})`);
  const revocation = revoked.find((entry) => entry.key.equals(offeredKey));
  if (revocation !== undefined) {
    return { verdict: 'changed', offered, expected: [`a key that is not revoked (${revocation.place})`] };
  }
  if (accepted.some((entry) => entry.key.equals(offeredKey))) return { verdict: 'known', offered };
  // Known under its exact name with other keys only: also a key of another type is a change, because the known types
  // were asked for first. A name without its port proves nothing about what listens on another port.
  const isExact = entries.some(
    (entry) => !entry.isRevoked && matches(entry.hosts, lookupNames(name)[0] ?? ''),
  );
  return isExact ? { verdict: 'changed', offered, expected } : { verdict: 'unknown', offered };
}

// Without SHA-1 signatures (ssh-rsa) and DSA.
const OFFERED: readonly ServerHostKeyAlgorithm[] = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];

/** Return the host key algorithms to offer, those of which a key is known first, so that a known key is what is shown. */
export function hostKeyAlgorithms(
  pins: readonly string[],
  entries: readonly KnownHost[],
  name: HostName,
): ServerHostKeyAlgorithm[] {
  const accepted = keysFor(entries, name).accepted;
  const pinned = accepted.filter((entry) => pins.includes(fingerprint(entry.key)));
  const types = new Set((pins.length > 0 ? pinned : accepted).map((entry) => entry.type));
  const isKnown = (algorithm: ServerHostKeyAlgorithm): boolean =>
    types.has(algorithm.startsWith('rsa-sha2') ? 'ssh-rsa' : algorithm);
  return [...OFFERED.filter(isKnown), ...OFFERED.filter((algorithm) => !isKnown(algorithm))];
}

function lookupNames({ host, port, hostKeyAlias }: HostName): string[] {
  if (hostKeyAlias !== undefined) return [hostKeyAlias.toLowerCase()];
  const plain = host.toLowerCase();
  return port === SSH_PORT ? [plain] : [`[${plain}]:${port}`, plain];
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHashed(hosts, name);
  const patterns = hosts.toLowerCase().split(',');
  const isNegated = patterns.some(
    (pattern) => pattern.startsWith('!') && matchesPattern(pattern.slice(1), name),
  );
  return !isNegated && patterns.some((pattern) => !pattern.startsWith('!') && matchesPattern(pattern, name));
}

/** `|1|salt|hash`: the name's HMAC-SHA1 under the salt. */
function matchesHashed(field: string, name: string): boolean {
  const [, version, salt, hash] = field.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  const wanted = Buffer.from(hash, 'base64');
  const found = createHmac('sha1', Buffer.from(salt, 'base64')).update(name).digest();
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/** `*` is any text, `?` is one character. Walks the pattern once per text, so that a hostile one costs nothing. */
function matchesPattern(pattern: string, text: string): boolean {
  let reachable = new Set([0]);
  for (const symbol of pattern) {
    const next = new Set<number>();
    for (const at of reachable) {
      if (symbol === '*') for (let end = at; end <= text.length; end++) next.add(end);
      else if (at < text.length && (symbol === '?' || symbol === text[at])) next.add(at + 1);
    }
    reachable = next;
  }
  return reachable.has(text.length);
}

async function readSmallFile(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    return size > LARGEST_FILE ? '' : await readFile(path, 'utf8');
  } catch {
    // A file that cannot be read vouches for nobody, and the host is then unknown.
    return '';
  }
}
