/** Does everything stand as placing would leave it? Decided by one look at each node; nothing is changed or fetched. */
import type { LookedNode } from './look.ts';
import type { Platform } from './payload/version.ts';
import type { PlacedNode, PlacingOptions } from './place.ts';
import {
  hasFrontCertificate,
  hasNodeCertificate,
  comesThroughFront,
  hasFront,
  platformOf,
  rayTokenPath,
  stands,
  wantedHome,
  wantedNodeWorker,
} from './wanted.ts';

export interface FindOptions extends Pick<PlacingOptions, 'file' | 'secrets'> {
  /** The version that a node of this platform shall have; known without fetching anything. */
  readonly versionFor: (platform: Platform, withHome: boolean) => Promise<string>;
}

/** The nodes with their ids where on all of them everything stands as it should; else undefined. */
export async function findPlaced(
  nodes: readonly LookedNode[],
  { file, secrets, versionFor }: FindOptions,
): Promise<PlacedNode[] | undefined> {
  const placed = nodes.flatMap((node) => (node.look.id === null ? [] : [{ ...node, id: node.look.id }]));
  const head = placed.find((node) => node.entry.name === file.head);
  if (placed.length < nodes.length || !head) return undefined;
  const token = head.look.contents.get(rayTokenPath(head.look.root));
  const ids = placed.map(({ id }) => id);
  // Copies of one disk stand alike; the checks tell which they are.
  if (new Set(ids).size < ids.length) return undefined;
  for (const node of placed) {
    const platform = platformOf(node.look);
    if (platform === undefined || token === undefined) return undefined;
    const version = await versionFor(platform, node === head);
    const asWanted =
      stands(node.look, version, wantedNodeWorker(file, node, head.entry, secrets)) &&
      node.look.contents.get(rayTokenPath(node.look.root)) === token &&
      (node !== head || stands(node.look, version, wantedHome(file, head, ids))) &&
      (node !== head || !hasFront(file) || hasFrontCertificate(head)) &&
      (!comesThroughFront(file, node.entry) || hasNodeCertificate(node, head.look));
    if (!asWanted) return undefined;
  }
  return placed;
}
