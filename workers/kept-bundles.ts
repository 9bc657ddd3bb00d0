/** Workflow bundles of the versions of windlass that were placed here before: placing leaves them where they are. */
import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

export interface Bundle {
  /** Version of the payload that it came with. */
  readonly version: string;
  readonly codePath: string;
}

const bundleFile = 'workflow-bundle.cjs';

/** The bundle beside a program of ours; the link that names the version in use is followed. */
export async function bundleBeside(programPath: string): Promise<Bundle> {
  const folder = await realpath(dirname(programPath));
  return { version: basename(folder), codePath: join(folder, bundleFile) };
}

/**
 * Bundles of other versions, the one that was placed last first. Those of the same content as another, or as `own`, are
 * left out: they would replay the same runs.
 */
export async function keptBundles(own: Bundle): Promise<Bundle[]> {
  const payloads = dirname(dirname(own.codePath));
  const folders = (await readdir(payloads, { withFileTypes: true })).filter((entry) => entry.isDirectory());
  const found = await Promise.all(folders.map(({ name }) => placedBundle(payloads, name)));
  const newestFirst = found.flat().toSorted((one, other) => other.placedAt - one.placedAt);
  const seen = new Set([await digestOf(own.codePath)]);
  const kept: Bundle[] = [];
  for (const { version, codePath } of newestFirst) {
    const digest = await digestOf(codePath);
    if (!seen.has(digest)) kept.push({ version, codePath });
    seen.add(digest);
  }
  return kept;
}

/** Only the payload of a head has one, and only once it has arrived whole. */
async function placedBundle(
  payloads: string,
  version: string,
): Promise<readonly (Bundle & { readonly placedAt: number })[]> {
  const codePath = join(payloads, version, bundleFile);
  return stat(codePath).then(
    ({ mtimeMs }) => [{ version, codePath, placedAt: mtimeMs }],
    () => [],
  );
}

async function digestOf(path: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(path))
    .digest('hex');
}
