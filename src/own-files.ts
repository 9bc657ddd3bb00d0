/**
 * Where the program's own files lie. This file stands beside cli.ts, and in the built program all code lies side by
 * side in `dist/src`, so that paths from here hold in both.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of ours that is not code, by its path below src. */
export function ownFile(path: string): URL {
  return new URL(`./${path}`, import.meta.url);
}

/** The built `dist` folder: the one that this code runs from, or the one beside the sources. */
export function ownDistFolder(): string {
  const folder = fileURLToPath(new URL('..', import.meta.url));
  return existsSync(join(folder, 'payload')) ? folder : join(folder, 'dist');
}
