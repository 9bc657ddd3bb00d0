/**
 * What a payload holds of our own, and its version. Both are known without fetching anything, so that a look at a node
 * can tell whether it has what it should.
 */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fail } from '../../errors.ts';
import { type Artefact, artefacts, type Platform } from '../download/pins.ts';
import type { Hashes } from './hashes.ts';

export type { Platform } from '../download/pins.ts';
export type Role = 'node' | 'home';

export interface Part {
  /** Relative to the folder of this version on the node. */
  readonly path: string;
  /** The file on this machine. */
  readonly source: string;
  readonly mode: number;
}

export interface VersionOptions {
  readonly platform: Platform;
  readonly roles: readonly Role[];
  /** The built `dist` folder of this program. */
  readonly distDir: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

const BRIDGE_TARGETS: Readonly<Record<Platform, string>> = {
  'linux-x64': 'x86_64-unknown-linux-gnu',
  'linux-arm64': 'aarch64-unknown-linux-gnu',
};
const NODE_FILES = ['package.json', 'node-worker.js', 'unit.js'];
const HOME_FILES = ['control-worker.js', 'workflow-thread.js', 'front.js', 'certificates.js'];

const PackageJson = z.object({ version: z.string() });

export const plain = (path: string, source: string): Part => ({ path, source, mode: 0o644 });

/** The files that this program brings itself. Throws INTERNAL where it was not built. */
export async function ownParts({ platform, roles, distDir }: VersionOptions): Promise<Part[]> {
  const payload = (path: string): Part => plain(path, join(distDir, 'payload', path));
  const scripts = await readdir(join(distDir, 'activities/scripts'));
  const parts = [
    plain('core-bridge.node', bridgeOf(platform)),
    plain('facts.sh', join(distDir, 'src/cluster/facts/facts.sh')),
    ...scripts.toSorted().map((name) => plain(`scripts/${name}`, join(distDir, 'activities/scripts', name))),
    ...NODE_FILES.map(payload),
    ...(roles.includes('home') ? HOME_FILES.map(payload) : []),
    ...(roles.includes('home') ? [plain('workflow-bundle.cjs', join(distDir, 'workflow-bundle.cjs'))] : []),
  ];
  const missing = parts.find(({ source }) => !existsSync(source));
  if (missing) throw fail('INTERNAL', { message: `${missing.source} is missing; build windlass first` });
  return parts;
}

/**
 * The package's version and the first 12 digits of its content's hash: `0.1.0-3f2a90c1d4e7`. It depends on content
 * alone: the same program gives the same version on every operator's machine. Throws INTERNAL as `ownParts` does.
 */
export async function payloadVersion(options: VersionOptions, hashes: Hashes): Promise<string> {
  const { platform, roles, distDir } = options;
  const own: unknown[] = [];
  // One after the other: hashing is bound by the processor.
  for (const { path, source, mode } of await ownParts(options)) {
    own.push([path, (await hashes.of(source)).sha256, mode]);
  }
  const { node, uv } = artefacts[platform];
  const programs = [pinOf(node), pinOf(uv), ...(await givenTemporal(options, hashes))];
  const text = JSON.stringify({ platform, roles: [...roles].toSorted(), programs, own });
  const digest = createHash('sha256').update(text).digest('hex').slice(0, 12);
  return `${await packageVersion(distDir)}-${digest}`;
}

/** A pinned archive and the file in it: what comes out of them is always the same. */
const pinOf = ({ digest, member }: Artefact): unknown => [digest, member];

/**
 * Two operators may have different Temporal binaries on PATH. That must not make each undo what the other has placed,
 * so the binary counts only where a person has named it. One that cannot be read is refused when it is fetched.
 */
async function givenTemporal({ roles, environment }: VersionOptions, hashes: Hashes): Promise<string[]> {
  const given = environment['WINDLASS_TEMPORAL'];
  if (!roles.includes('home') || given === undefined || given === '') return [];
  return [
    await hashes.of(given).then(
      ({ sha256 }) => sha256,
      () => `unreadable: ${given}`,
    ),
  ];
}

/** The native part of the Temporal SDK, which its npm package holds for every platform. */
function bridgeOf(platform: Platform): string {
  // Only the SDK's worker is a dependency of ours, and package managers differ in what else they let us see.
  const worker = createRequire(import.meta.url).resolve('@temporalio/worker/package.json');
  const bridge = createRequire(worker).resolve('@temporalio/core-bridge/package.json');
  return join(dirname(bridge), 'releases', BRIDGE_TARGETS[platform], 'index.node');
}

async function packageVersion(distDir: string): Promise<string> {
  const text = await readFile(join(distDir, '../package.json'), 'utf8');
  return PackageJson.parse(JSON.parse(text)).version;
}
