/**
 * Binds each task to the node that it was given to. The token of a task is not signed by the service: whoever knows
 * what a run calls its acts could make one up, and answer for another node.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';

const SEAL_BYTES = 32;

/** What the seals of a front are made with; the same for as long as its key is. */
export type SealKey = Buffer;

export function sealKey(privateKey: Buffer): SealKey {
  return createHmac('sha256', privateKey).update('windlass task tokens').digest();
}

const sealOf = (key: SealKey, node: string, token: Uint8Array): Buffer =>
  createHmac('sha256', key).update(`${node}\n`).update(token).digest();

/** The token as a node gets it. */
export function seal(key: SealKey, node: string, token: Uint8Array): Buffer {
  return Buffer.concat([token, sealOf(key, node, token)]);
}

/** The token as the service knows it; undefined where it was not sealed for this node. */
export function unseal(key: SealKey, node: string, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length <= SEAL_BYTES) return undefined;
  const token = sealed.subarray(0, -SEAL_BYTES);
  const isOwn = timingSafeEqual(sealOf(key, node, token), sealed.subarray(-SEAL_BYTES));
  return isOwn ? token : undefined;
}
