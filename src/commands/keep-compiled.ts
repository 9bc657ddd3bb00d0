/** Node.js 22 and newer can keep what they have compiled of a program, so that its next start is quicker. */
import nodeModule from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readVariables } from '../config/environment.ts';
import { cacheFolder } from '../placing/download/cache-folder.ts';

/** Keep the code that is loaded from now on in the user's cache folder. An older Node.js compiles it each time. */
export function keepCompiled(): void {
  const enable = (nodeModule as { enableCompileCache?: (folder: string) => unknown }).enableCompileCache;
  enable?.(join(cacheFolder(readVariables(), homedir()), 'compiled'));
}
