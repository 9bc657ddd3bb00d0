// Builds the stand-in wheels (torch, sglang, sglang-kernel) in all their flavours, once per state of their sources.

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

/** The sets of wheels: what each can run on stands in build-wheels.py. */
export const flavours = ['sm120', 'sm110', 'kernel-broken', 'cpu'] as const;
export type Flavour = (typeof flavours)[number];

/** The folder with the sources of all stand-ins. */
export const standinFolder = import.meta.dirname;

/**
 * Build the wheels into `outDir/<flavour>/`, unless they already lie there as the sources want them.
 * Needs python3 and nothing else; the same sources give the same bytes. Returns `outDir`.
 */
export async function buildStandinWheels(outDir: string): Promise<string> {
  const stamp = join(outDir, 'sources.sha256');
  const wanted = await hashSources();
  const found = await readFile(stamp, 'utf8').catch(() => '');
  if (found === wanted) return outDir;
  await execa('python3', [join(standinFolder, 'build-wheels.py'), outDir]);
  await writeFile(stamp, wanted);
  return outDir;
}

async function hashSources(): Promise<string> {
  const hash = createHash('sha256');
  const sources = await readdir(join(standinFolder, 'python'), { recursive: true, withFileTypes: true });
  const paths = sources
    .filter((entry) => entry.isFile() && !entry.parentPath.includes('__pycache__'))
    .map((entry) => join(entry.parentPath, entry.name));
  for (const path of [join(standinFolder, 'build-wheels.py'), ...paths.toSorted()]) {
    hash
      .update(path.slice(standinFolder.length))
      .update('\0')
      .update(await readFile(path));
  }
  return hash.digest('hex');
}
