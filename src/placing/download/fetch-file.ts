/**
 * Fetches one file of a known hash. The final name only ever shows complete, verified content; a download that broke
 * off is taken up again where it stopped, by this process or by a later one.
 */
import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { fail } from '../../errors.ts';
import { errnoOf, writeFailure } from '../../process/files.ts';
import type { Digest } from './pins.ts';
import { fetchFor } from './proxy.ts';
import type { Environment } from '../../process/environment.ts';
import { type Address, explainRequest, HttpError, SilenceLimit } from './request.ts';

export interface Wanted {
  /** How people know it, for messages. */
  readonly what: string;
  readonly address: Address;
  readonly digest: Digest;
}

/**
 * Bring the file to `path`; the environment may name a proxy. Throws DOWNLOAD_FAILED when it cannot be had,
 * DOWNLOAD_HASH when it is not what was pinned (nothing is left of it then), DISK_FULL and its like for this machine.
 */
export async function fetchFile(path: string, wanted: Wanted, environment: Environment = {}): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const part = await claimPart(path);
  const resumedAt = await sizeOf(part);
  await fetchPart(part, wanted, environment);
  let found = await digestOf(part, wanted.digest);
  if (found !== expected(wanted.digest) && resumedAt > 0) {
    // The old part may be the culprit: only a whole download speaks against the registry.
    await rm(part, { force: true });
    await fetchPart(part, wanted, environment);
    found = await digestOf(part, wanted.digest);
  }
  if (found !== expected(wanted.digest)) {
    await rm(part, { force: true });
    throw fail('DOWNLOAD_HASH', { what: wanted.what, found, expected: expected(wanted.digest) });
  }
  await rename(part, path);
}

/** Fetch until it is whole; a broken line is taken up again as long as each try brings something. */
async function fetchPart(part: string, wanted: Wanted, environment: Environment): Promise<void> {
  for (;;) {
    const before = await sizeOf(part);
    try {
      await fetchOnce(part, before, wanted.address, environment);
      return;
    } catch (error) {
      if (isLocal(error)) throw writeFailure(part, error);
      if (error instanceof HttpError || (await sizeOf(part)) <= before) {
        const { url } = wanted.address;
        throw fail(
          'DOWNLOAD_FAILED',
          { what: wanted.what, from: `${url.origin}${url.pathname}`, reason: explainRequest(error) },
          error,
        );
      }
    }
  }
}

async function fetchOnce(
  part: string,
  have: number,
  address: Address,
  environment: Environment,
): Promise<void> {
  const silence = new SilenceLimit();
  try {
    const send = await fetchFor(address.url, environment);
    const response = await send(address.url, {
      // Registries that compress a compressed file on the way make another file of it.
      headers: {
        ...address.headers,
        'accept-encoding': 'identity',
        ...(have > 0 && { range: `bytes=${have}-` }),
      },
      signal: silence.signal,
    });
    const continues =
      response.status === 206 && response.headers.get('content-range')?.startsWith(`bytes ${have}-`) === true;
    if (response.status !== 200 && !continues) {
      await response.body?.cancel();
      // 416: there is nothing behind what is here, so it is whole, or not ours; its hash will tell.
      if (response.status === 416 && have > 0) return;
      throw new HttpError(response.status);
    }
    const file = await open(part, continues ? 'a' : 'w', 0o600);
    try {
      for await (const chunk of response.body ?? []) {
        await file.write(chunk as Uint8Array);
        silence.heard();
      }
    } finally {
      await file.close();
    }
  } finally {
    silence.end();
  }
}

const LOCAL = new Set(['ENOSPC', 'EDQUOT', 'EROFS', 'EACCES', 'EPERM', 'EIO']);

function isLocal(error: unknown): boolean {
  const code = errnoOf(error);
  return code !== undefined && LOCAL.has(code);
}

/**
 * Return the name of this process's own unfinished file; what a process that is gone has left is taken over. The
 * rename is the claim: of two that try, one gets it.
 */
async function claimPart(path: string): Promise<string> {
  const own = `${path}.${process.pid}.part`;
  const names = await readdir(dirname(path));
  for (const name of names) {
    const pid = /^(.*)\.(\d+)\.part$/.exec(name);
    if (pid?.[1] !== basename(path) || isRunning(Number(pid[2]))) continue;
    const left = join(dirname(path), name);
    if ((await sizeOf(own)) === 0) await rename(left, own).catch(ignoreMissing);
    else await rm(left, { force: true });
  }
  return own;
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return errnoOf(error) !== 'ESRCH';
  }
}

function ignoreMissing(error: unknown): void {
  if (errnoOf(error) !== 'ENOENT') throw error;
}

async function sizeOf(path: string): Promise<number> {
  const found = await stat(path).catch((error: unknown) => {
    ignoreMissing(error);
  });
  return found?.size ?? 0;
}

const expected = (digest: Digest): string => (digest.algorithm === 'sha512' ? digest.base64 : digest.hex);

async function digestOf(path: string, digest: Digest): Promise<string> {
  const hash: Hash = createHash(digest.algorithm);
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest(digest.algorithm === 'sha512' ? 'base64' : 'hex');
}
