/** What is installed in an environment, compared with its lock; the marker that says they are equal. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { EnvironmentMarker } from '../src/cluster/state.ts';
import { readRecord, writeFileAtomic } from '../src/process/files.ts';
import { hasEndedWell, readGeneration } from './acts.ts';
import type { NodeContext } from './context.ts';
import { readLockedPackages } from './lock-file.ts';
import { folderBytes } from './sizes.ts';
import { sha256 } from './uv.ts';
import { pythonVersion } from './venv.ts';

async function sitePackages(path: string): Promise<string | null> {
  const names = await readdir(`${path}/lib`).catch(() => []);
  const python = names.find((name) => name.startsWith('python3.'));
  return python === undefined ? null : `${path}/lib/${python}/site-packages`;
}

/** Names of the `.dist-info` folders of an environment, sorted. */
export async function distributions(path: string): Promise<string[]> {
  const folder = await sitePackages(path);
  const names = folder === null ? [] : await readdir(folder).catch(() => []);
  return names.filter((name) => name.endsWith('.dist-info')).toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

const normalise = (name: string): string => name.toLowerCase().replaceAll(/[-_.]+/g, '-');

/** Installed distributions as `name==version`; a dist-info folder is named by both. */
const installedSet = (names: readonly string[]): Set<string> =>
  new Set(
    names.map((name) => {
      const stem = name.slice(0, -'.dist-info'.length);
      const dash = stem.indexOf('-');
      return `${normalise(stem.slice(0, dash))}==${stem.slice(dash + 1)}`;
    }),
  );

/** How the installed set differs from a lock, in words. */
export async function difference(path: string, lockText: string): Promise<string> {
  const installed = installedSet(await distributions(path));
  const wanted = new Set(
    readLockedPackages(lockText).map((each) => `${normalise(each.name)}==${each.version}`),
  );
  const missing = [...wanted].filter((each) => !installed.has(each));
  const extra = [...installed].filter((each) => !wanted.has(each));
  return `missing: ${missing.slice(0, 5).join(', ') || 'none'}; not in the lock: ${extra.slice(0, 5).join(', ') || 'none'}`;
}

const markerOf = (context: NodeContext, hash: string): string =>
  `${context.layout.environments}/${hash}/windlass.json`;

/**
 * Has an installation of this lock come to its end? The names of packages do not tell: uv links a package together with
 * its record, then its scripts, and compiles when all are there.
 */
export async function hasEnded(
  context: NodeContext,
  unit: string,
  hash: string,
  lockText: string,
): Promise<boolean> {
  const marker = await readRecord(markerOf(context, hash), EnvironmentMarker);
  return marker?.lock === sha256(lockText) || (await hasEndedWell(context, unit, hash));
}

/**
 * Before an installation begins anew: the marker no longer holds, and where the one before was cut off, uv would take a
 * package that is half there for whole. All of it lies in uv's cache.
 */
export async function discardHalf(context: NodeContext, unit: string, hash: string): Promise<void> {
  const wasBegun = (await readGeneration(context, unit)) === hash;
  const wasCutOff = wasBegun && !(await hasEndedWell(context, unit, hash));
  await rm(markerOf(context, hash), { force: true });
  const folder = await sitePackages(`${context.layout.environments}/${hash}`);
  if (!wasCutOff || folder === null) return;
  const names = (await readdir(folder)).filter((name) => !name.startsWith('_virtualenv'));
  for (const name of names) await rm(join(folder, name), { recursive: true, force: true });
}

/** Compare the installed set with the lock; write the marker when they are equal. */
export async function confirmInstalled(
  context: NodeContext,
  path: string,
  hash: string,
  request: string,
  lockText: string,
): Promise<boolean> {
  const names = await distributions(path);
  const installed = installedSet(names);
  const wanted = readLockedPackages(lockText);
  const equal =
    wanted.length === installed.size &&
    wanted.every((each) => installed.has(`${normalise(each.name)}==${each.version}`));
  if (!equal) return false;
  const python = await pythonVersion(path);
  if (python === null) return false;
  const marker: EnvironmentMarker = {
    hash,
    request,
    lock: sha256(lockText),
    python,
    listing: sha256(names.map((name) => `${name}\n`).join('')),
    packages: names.length,
    bytes: await folderBytes(path),
    at: Date.now(),
  };
  await writeFileAtomic(markerOf(context, hash), JSON.stringify(marker), {
    mode: 0o600,
  });
  return true;
}
