/** One way to hash a value: JSON with sorted keys, sha256. The same value typed with other key order hashes equal. */
import { sha256 } from '@noble/hashes/sha2';
import { bytesToHex, utf8ToBytes } from '@noble/hashes/utils';

/** JSON with the keys of every object sorted and `undefined` left out. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

/** sha256 of text, 64 hexadecimal digits. */
export function sha256Hex(text: string): string {
  return bytesToHex(sha256(utf8ToBytes(text)));
}

/** The first 16 hexadecimal digits of the hash of a value: enough to name it on one node. */
export function digest(value: unknown): string {
  return sha256Hex(canonicalJson(value)).slice(0, 16);
}
