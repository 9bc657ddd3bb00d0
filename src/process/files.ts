/**
 * Files that others rely on: written so that a reader, also after a power cut, finds the old content or the new one
 * and nothing else. No symbolic link is followed at the target.
 */
import { constants } from 'node:fs';
import { type FileHandle, lstat, open, rename, rm } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { basename, dirname, join } from 'node:path';
import type { z } from 'zod';
import { type WindlassError, fail } from '../errors.ts';
import { escapeLine } from './escape.ts';

const LARGEST_JSON = 8 * 1024 * 1024;

/** Replace a file as one act. `mode` is what the file has from its first byte on. Throws DISK_FULL, READ_ONLY, NO_PERMISSION or UPLOAD. */
export async function writeFileAtomic(
  path: string,
  data: string | Uint8Array,
  { mode }: { readonly mode: number },
): Promise<void> {
  await refuseLink(path);
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    await writeNew(temporary, data, mode);
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFailure(path, error);
  }
}

/** Append one line in one write, on disk when this returns. The file is made with mode 0600. */
export async function appendLine(path: string, line: string): Promise<void> {
  if (line.includes('\n')) throw fail('INTERNAL', { message: `a line for ${path} contains a line end` });
  const { O_APPEND, O_CREAT, O_NOFOLLOW, O_RDWR } = constants;
  try {
    const file = await open(path, O_APPEND | O_CREAT | O_NOFOLLOW | O_RDWR, 0o600);
    await closing(file, async () => {
      const bytes = Buffer.from(`${(await endsInHalfLine(file)) ? '\n' : ''}${line}\n`, 'utf8');
      const { bytesWritten } = await file.write(bytes);
      if (bytesWritten !== bytes.length) throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
      await file.datasync();
    });
  } catch (error) {
    throw writeFailure(path, error);
  }
}

/** A power cut may have left a part of the last line; the next one must not become a part of it. */
async function endsInHalfLine(file: FileHandle): Promise<boolean> {
  const { size } = await file.stat();
  if (size === 0) return false;
  const { buffer } = await file.read({ buffer: Buffer.alloc(1), position: size - 1 });
  return buffer.toString() !== '\n';
}

/**
 * Read a JSON file of ours. Undefined when there is none; FACT_UNREADABLE when it is there but is not what the
 * schema says, because a file that cannot be read is never the same as no file.
 */
export async function readJson<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | undefined> {
  const text = await readBounded(path, LARGEST_JSON);
  if (text === undefined) return undefined;
  const unreadable = (answer: string, cause?: unknown): WindlassError =>
    fail('FACT_UNREADABLE', { fact: path, answer: escapeLine(answer).slice(0, 200) }, cause);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(text === '' ? 'nothing' : text, error);
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const first = parsed.error.issues[0];
  throw unreadable(`${first?.path.join('.') ?? ''}: ${first?.message ?? ''}`, parsed.error);
}

/**
 * Read a record that only saves work. Null where it is not there or not what it should be, as what a broken disk has
 * left of it: then the work is done again.
 */
export async function readRecord<Schema extends z.ZodType>(
  path: string,
  schema: Schema,
): Promise<z.output<Schema> | null> {
  return (await readJson(path, schema).catch(() => null)) ?? null;
}

const FAILURES = {
  ENOSPC: 'DISK_FULL',
  EDQUOT: 'DISK_FULL',
  EROFS: 'READ_ONLY',
  EACCES: 'NO_PERMISSION',
  EPERM: 'NO_PERMISSION',
} as const;

/** Turn a system error met while writing a path into our own. */
export function writeFailure(path: string, error: unknown): WindlassError {
  const code = errnoOf(error);
  const ours = code !== undefined && code in FAILURES ? FAILURES[code as keyof typeof FAILURES] : 'UPLOAD';
  return fail(ours, { path: escapeLine(path), reason: code ?? String(error) }, error);
}

/** Return the name of a system error, such as ENOENT. */
export function errnoOf(error: unknown): string | undefined {
  // Not `instanceof Error`: an error of another realm, as in a test runner, is none of ours.
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

async function refuseLink(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isSymbolicLink() === true) {
    throw fail('UPLOAD', { path: escapeLine(path), reason: 'it is a symbolic link, which is not followed' });
  }
}

async function writeNew(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const file = await open(path, 'wx', mode);
  await closing(file, async () => {
    // The umask may have taken bits away that the caller asked for.
    await file.chmod(mode);
    await file.writeFile(data);
    await file.sync();
  });
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  await closing(folder, () => folder.sync());
}

async function readBounded(path: string, limit: number): Promise<string | undefined> {
  try {
    const file = await open(path, 'r');
    return await closing(file, async () => {
      const { size } = await file.stat();
      if (size > limit) throw fail('FACT_UNREADABLE', { fact: path, answer: `a file of ${size} bytes` });
      return file.readFile('utf8');
    });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    const code = errnoOf(error);
    throw code === undefined || code.startsWith('FACT')
      ? error
      : fail('FACT_UNREADABLE', { fact: path, answer: code }, error);
  }
}

async function closing<T>(file: FileHandle, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    await file.close();
  }
}
