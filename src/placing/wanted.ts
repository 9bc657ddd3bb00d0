/** What shall stand on a node beside the payload: settings, secrets and units; and whether it stands. Pure. */
import { createHash } from 'node:crypto';
import { certificatePaths, layoutOf, standingUnits } from '../cluster/layout.ts';
import { isBehindFront } from '../config/rules/temporal.ts';
import type { ClusterFile, NodeEntry, SecretName } from '../config/schema.ts';
import { fail } from '../errors.ts';
import { isGoodCertificate } from './certificates.ts';
import type { Look } from './look.ts';
import { unitFolder } from './look.ts';
import type { Platform } from './payload/version.ts';
import { homeUnits, nodeUnit } from './unit-files.ts';

export interface TextFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** A part of what stands on a node: files, and the units that read them. */
export interface Wanted {
  readonly files: readonly TextFile[];
  readonly units: readonly string[];
}

/** A node as far as its settings depend on it. */
export interface Place {
  readonly entry: NodeEntry;
  readonly id: string;
  readonly look: Look;
}

const textFile = (path: string, text: string, mode = 0o600): TextFile => ({ path, text, mode });
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** The platform of a node; undefined for one that windlass has no programs for. */
export function platformOf({ machine, libc }: Pick<Look, 'machine' | 'libc'>): Platform | undefined {
  const [major = 0, minor = 0] = (/^glibc (\d+\.\d+)/.exec(libc)?.[1] ?? '0.0').split('.').map(Number);
  if (major < 2 || (major === 2 && minor < 28)) return undefined;
  return machine === 'x86_64' ? 'linux-x64' : machine === 'aarch64' ? 'linux-arm64' : undefined;
}

/** The same, or PLATFORM_UNSUPPORTED before a byte is uploaded. */
export function demandPlatform(look: Look): Platform {
  const platform = platformOf(look);
  if (platform !== undefined) return platform;
  const found = `${look.machine} with ${look.libc === '' ? 'another C library than glibc' : look.libc}`;
  throw fail('PLATFORM_UNSUPPORTED', { found });
}

/** The home on the head; `ids` are those of all nodes. */
export function wantedHome(file: ClusterFile, { entry, look }: Place, ids: readonly string[]): Wanted {
  const { temporal } = file;
  const embedded = temporal.address === undefined;
  const home = layoutOf(look.root).home;
  const address = temporal.address ?? `127.0.0.1:${temporal.port}`;
  const units = homeUnits({
    root: look.root,
    port: temporal.port,
    uiPort: temporal.uiPort,
    embedded,
    withFront: hasFront(file),
  });
  const front = {
    listen: { address: entry.address, port: temporal.frontPort },
    upstream: address,
    namespace: temporal.namespace,
    ca: `${home}/ca/ca.crt`,
    certificate: `${home}/ca/server.crt`,
    key: `${home}/ca/server.key`,
    nodes: ids,
  };
  return {
    files: [
      textFile(`${home}/control-worker.json`, JSON.stringify({ address, namespace: temporal.namespace })),
      ...(hasFront(file) ? [textFile(`${home}/front.json`, JSON.stringify(front))] : []),
      ...units.map((unit) => textFile(`${unitFolder(look.home)}/${unit.name}`, unit.text, 0o644)),
    ],
    units: units.map((unit) => unit.name),
  };
}

/** The node worker of a node, with what the acts need to know; the Ray token stands apart, see `rayTokenPath`. */
export function wantedNodeWorker(
  file: ClusterFile,
  node: Place,
  head: NodeEntry,
  secrets: ReadonlyMap<SecretName, string>,
): Wanted {
  const { root, home } = node.look;
  const { temporal } = file;
  const layout = layoutOf(root);
  const settings = {
    id: node.id,
    root,
    address: comesThroughFront(file, node.entry)
      ? `${head.address}:${temporal.frontPort}`
      : (temporal.address ?? `127.0.0.1:${temporal.port}`),
    namespace: temporal.namespace,
    ...(comesThroughFront(file, node.entry) && {
      tls: {
        ca: `${layout.certificates}/ca.crt`,
        certificate: `${layout.certificates}/node.crt`,
        key: `${layout.certificates}/node.key`,
        serverName: head.address,
      },
    }),
  };
  const unit = nodeUnit(root);
  return {
    files: [
      textFile(`${root}/node-worker.json`, JSON.stringify(settings)),
      ...[...secrets].map(([name, value]) => textFile(`${layout.secrets}/${name}`, value)),
      textFile(`${unitFolder(home)}/${unit.name}`, unit.text, 0o644),
    ],
    units: [standingUnits.node],
  };
}

/** Does the front stand before the service? A service that is not on the head's loopback is dialled as it is. */
export const hasFront = ({ temporal }: ClusterFile): boolean => isBehindFront(temporal.address);

/** Does this node reach the service through the front? The head itself speaks to it on loopback. */
export function comesThroughFront(file: ClusterFile, entry: NodeEntry): boolean {
  return hasFront(file) && entry.name !== file.head;
}

/** The cluster's Ray token lies on the head, and on every node the same. */
export const rayTokenPath = (root: string): string => `${layoutOf(root).secrets}/rayToken`;

/** Are the files there as wanted, and do the units run with this version? */
export function stands(look: Look, version: string, { files, units }: Wanted): boolean {
  return (
    look.payload === version &&
    !look.isActivating &&
    units.every((unit) => look.active.has(unit)) &&
    files.every(
      ({ path, text, mode }) =>
        look.contents.get(path) === sha256(text) && look.modes.get(path) === mode.toString(8),
    )
  );
}

/** Does the front have a key, and a good certificate for its address? */
export function hasFrontCertificate({ entry, look }: Place): boolean {
  const authority = look.certificates.get(certificatePaths.authority) ?? '';
  return (
    look.contents.has(`${layoutOf(look.root).home}/ca/server.key`) &&
    isGoodCertificate(look.certificates.get(certificatePaths.front) ?? '', authority, entry.address)
  );
}

/** Does the node have a key, a good certificate of the head's authority for its id, and that authority itself? */
export function hasNodeCertificate({ id, look }: Place, head: Look): boolean {
  const authority = head.certificates.get(certificatePaths.authority) ?? '';
  const { certificates } = layoutOf(look.root);
  return (
    look.contents.has(`${certificates}/node.key`) &&
    look.contents.get(`${certificates}/ca.crt`) === sha256(authority) &&
    isGoodCertificate(look.certificates.get(certificatePaths.node) ?? '', authority, id)
  );
}
