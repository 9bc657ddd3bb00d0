/**
 * Large files go over the line compressed: Node.js, uv, Temporal and the native part are 350 MB for a head, a third
 * of that as gzip. Compressing is done once per content and kept in the cache.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { SharedWork } from '../download/shared-work.ts';
import type { PayloadFile } from './payload-file.ts';

// Below this the saving is not worth a file in the cache for every version of windlass.
const SMALLEST = 8 * 1024 * 1024;
// A third of the time of level 6 for a tenth more bytes.
const LEVEL = 1;

// The payloads of a node and of a head share most of their large files, and are assembled at the same time.
const compressions = new SharedWork<void>();

/** Return the file with a compressed source; small files as they are. */
export async function compress(file: PayloadFile, cacheDir: string): Promise<PayloadFile> {
  if (file.size < SMALLEST) return file;
  const source = join(cacheDir, 'compressed', `${file.sha256}.gz`);
  if (!(await exists(source))) await compressions.run(source, () => writeCompressed(file.source, source));
  return { ...file, source, isGzip: true };
}

async function writeCompressed(from: string, to: string): Promise<void> {
  await mkdir(dirname(to), { recursive: true, mode: 0o700 });
  const temporary = `${to}.${process.pid}`;
  try {
    await pipeline(createReadStream(from), createGzip({ level: LEVEL }), createWriteStream(temporary));
    await rename(temporary, to);
  } finally {
    await rm(temporary, { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
