/**
 * The hashes of large files, computed once: a file that has the same size and time as when it was hashed is taken to
 * be the same. All of these are files of ours or in our cache.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { readRecord, writeFileAtomic } from '../../process/files.ts';

const Known = z.record(z.string(), z.object({ size: z.number(), mtimeMs: z.number(), sha256: z.string() }));
type Known = z.infer<typeof Known>;

export interface Hashed {
  readonly sha256: string;
  readonly size: number;
}

/** A memory of hashes, kept in the cache folder between runs. */
export class Hashes {
  readonly #file: string;
  #known: Known | undefined;
  #isChanged = false;

  constructor(cacheDir: string) {
    this.#file = join(cacheDir, 'hashes.json');
  }

  /** Return hash and size of a file. */
  async of(path: string): Promise<Hashed> {
    // A memory that cannot be read costs a second of hashing, no more.
    this.#known ??= (await readRecord(this.#file, Known)) ?? {};
    const { size, mtimeMs } = await stat(path);
    const known = this.#known[path];
    if (known?.size === size && known.mtimeMs === mtimeMs) return { sha256: known.sha256, size };
    const sha256 = await hashFile(path);
    this.#known[path] = { size, mtimeMs, sha256 };
    this.#isChanged = true;
    return { sha256, size };
  }

  /** Write what was learned. */
  async save(): Promise<void> {
    if (!this.#isChanged) return;
    await mkdir(dirname(this.#file), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#file, JSON.stringify(this.#known), { mode: 0o600 });
    this.#isChanged = false;
  }
}

/** Hash a whole file; SHA-256 in hexadecimal. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 }))
    hash.update(chunk as Buffer);
  return hash.digest('hex');
}
