/**
 * The payload of one platform: every file that a node or a head gets, where it comes from on this machine, and the
 * version that names exactly this content. Fetches what is not in the cache yet; touches no node.
 */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../process/files.ts';
import { artefacts } from '../download/pins.ts';
import { ensureProgram, type ProgramOptions } from '../download/program.ts';
import { chooseTemporal, type TemporalChoice } from '../download/temporal.ts';
import { compress } from './compress.ts';
import type { PayloadFile } from './payload-file.ts';
import { Hashes } from './hashes.ts';
import { ownParts, type Part, payloadVersion, plain, type VersionOptions } from './version.ts';

export type { Platform, Role } from './version.ts';

export interface Payload {
  readonly version: string;
  readonly files: readonly PayloadFile[];
  /** Which Temporal binary is in it; only for a home. */
  readonly temporal: TemporalChoice | undefined;
}

export type AssembleOptions = ProgramOptions & VersionOptions;

/**
 * Assemble the payload, after fetching what of it is not in the cache. Throws DOWNLOAD_FAILED, DOWNLOAD_HASH, or
 * INTERNAL for a program that was not built.
 */
export async function assemblePayload(options: AssembleOptions): Promise<Payload> {
  const pinned = artefacts[options.platform];
  const temporal = options.roles.includes('home')
    ? await chooseTemporal(options.platform, options)
    : undefined;
  const [node, uv, own] = await Promise.all([
    ensureProgram(pinned.node, options),
    ensureProgram(pinned.uv, options),
    ownParts(options),
  ]);
  const programs = [
    program('node', node),
    program('uv', uv),
    ...(temporal ? [program('temporal', temporal.path)] : []),
  ];
  const hashes = new Hashes(options.cacheDir);
  const files: PayloadFile[] = [];
  // One after the other: hashing and compressing are bound by the processor.
  for (const part of [...programs, ...own]) {
    files.push({ ...part, ...(await hashes.of(part.source)), isGzip: false });
  }
  const version = await payloadVersion(options, hashes);
  const manifest = await writeManifest(version, files, options);
  const sent = await Promise.all(
    [...files, { ...manifest, ...(await hashes.of(manifest.source)), isGzip: false }].map((file) =>
      compress(file, options.cacheDir),
    ),
  );
  await hashes.save();
  return { version, files: sent, temporal };
}

const program = (name: string, source: string): Part => ({ path: `bin/${name}`, source, mode: 0o755 });

async function writeManifest(
  version: string,
  files: readonly PayloadFile[],
  options: AssembleOptions,
): Promise<Part> {
  const folder = join(options.cacheDir, 'manifests');
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const source = join(folder, `${version}.json`);
  const content = files.map(({ path, sha256, size, mode }) => ({ path, sha256, size, mode }));
  const manifest = { version, platform: options.platform, roles: options.roles, files: content };
  await writeFileAtomic(source, `${JSON.stringify(manifest, undefined, 1)}\n`, { mode: 0o600 });
  return plain('manifest.json', source);
}
