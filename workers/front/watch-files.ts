/**
 * Tells when one of some files was replaced. Looked at, not listened for: the database lies in the same folder, and
 * each of its writes would wake a listener.
 */
import { unwatchFile, watchFile } from 'node:fs';

const LOOK_EVERY_MS = 1_000;

/** Call `onChange` after any of the files changed; returns the function that ends the watch. */
export function watchFiles(files: readonly string[], onChange: () => void): () => void {
  for (const file of files) watchFile(file, { interval: LOOK_EVERY_MS }, onChange);
  return () => {
    for (const file of files) unwatchFile(file, onChange);
  };
}
