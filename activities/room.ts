/** Is the disk full? The file system is asked; the words of the program that failed decide nothing. */
import { statfs } from 'node:fs/promises';
import prettyBytes from 'pretty-bytes';
import { fail } from '../src/errors.ts';

/** With less than this nothing that we start gets far: a single wheel, shard or Ray session takes more. */
const leastBytes = 256 * 1024 * 1024;

/** Throw DISK_FULL where there is almost no space left. A folder that is not there yet has its parent's space. */
export async function demandRoom(path: string): Promise<void> {
  const found = await statfs(path).catch(() => null);
  if (found === null) {
    const parent = path.slice(0, path.lastIndexOf('/'));
    return parent === '' ? undefined : demandRoom(parent);
  }
  const free = found.bavail * found.bsize;
  if (free < leastBytes) throw fail('DISK_FULL', { path, free: prettyBytes(free) });
}
