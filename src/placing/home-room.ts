/** A home that cannot store anything takes a run and never begins it; that is told before there is one. */
import { Problems, fail } from '../errors.ts';
import prettyBytes from 'pretty-bytes';
import type { LookedNode } from './look.ts';

// A run's history takes a megabyte or two; the service's database and its log of changes grow in steps of some more.
const leastBytes = 64 * 1024 ** 2;

/** Throws DISK_FULL where the disk of a standing home has no room for another run. */
export function demandHomeRoom({ entry, look }: LookedNode): void {
  const { homeFreeBytes, root } = look;
  if (homeFreeBytes === null || homeFreeBytes >= leastBytes) return;
  const error = fail('DISK_FULL', { path: `the home in ${root}/home`, free: prettyBytes(homeFreeBytes) });
  throw new Problems([Object.assign(error, { node: entry.name })]);
}
