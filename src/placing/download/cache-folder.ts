/** Where downloads and payloads are kept on the operator's machine. */
import { join } from 'node:path';

/** The user's cache folder: `$XDG_CACHE_HOME/windlass`, else `~/.cache/windlass`. */
export function cacheFolder(environment: Readonly<Record<string, string | undefined>>, home: string): string {
  const cache = environment['XDG_CACHE_HOME'];
  return join(cache !== undefined && cache.startsWith('/') ? cache : join(home, '.cache'), 'windlass');
}
