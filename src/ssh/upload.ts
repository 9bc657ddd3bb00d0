/**
 * Puts files on a node. A final name only ever shows complete, checked content; what is there already and right is
 * not sent again. The content goes down plain sessions and not over sftp, whose protocol cannot say "disk full".
 */
import { randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import type { ClientChannel } from 'ssh2';
import { type ErrorCode, type WindlassError, fail } from '../errors.ts';
import { collectOutput } from '../process/collect.ts';
import { quote, renderCommand } from '../process/command.ts';
import { escapeLine, escapeLines } from '../process/escape.ts';
import { errnoOf } from '../process/files.ts';
import type { SshConnection } from './connection.ts';
import { execScript, requireSuccess } from './exec.ts';
import { RECEIVE, RECEIVE_EXIT, SURVEY } from './upload-scripts.ts';

export interface UploadFile {
  /** A file on this machine, or the content itself. */
  readonly source: string | Uint8Array;
  /** Absolute path on the node; its folders are made with mode 0700 where they are missing. */
  readonly path: string;
  readonly mode: number;
  /** Of the content as it shall lie there, in hexadecimal. */
  readonly sha256: string;
  /** The source is gzip, and what shall lie there is its content. */
  readonly isGzip?: boolean;
}

export interface UploadOptions {
  /** Called as bytes leave: how many were sent so far, and of how many. */
  readonly onBytes?: (sent: number, total: number) => void;
  /** Files sent at the same time over the connection; 2 unless told. sshd allows 10 sessions. */
  readonly concurrency?: number;
  /** The upload is given up when no byte could be sent for this long; 60 s unless told. */
  readonly stallMs?: number;
}

export interface UploadResult {
  /** Paths that were written. */
  readonly written: readonly string[];
  /** Bytes that went over the connection. */
  readonly bytesSent: number;
}

const CHUNK = 128 * 1024;
const DEFAULT_STALL_MS = 60_000;
// The far side may still have to hash a large file that is there already.
const SURVEY_TIMEOUT_MS = 300_000;
// Hashing and fsync of a few hundred megabytes on a slow disk.
const FINISH_TIMEOUT_MS = 300_000;
// Folders and journal need a little too.
const SAFETY_KIB = 1024;
const LONGEST_ANSWER = 16 * 1024;

/**
 * Bring files onto the node that are not there yet with the right content. Throws DISK_FULL, READ_ONLY, NO_PERMISSION
 * or UPLOAD with the path, SSH_LOST when the connection breaks; files that were finished before stay.
 */
export async function uploadFiles(
  connection: SshConnection,
  files: readonly UploadFile[],
  options: UploadOptions = {},
): Promise<UploadResult> {
  for (const file of files) refuseBadFile(file);
  const needed = await surveyFiles(connection, files);
  refuseFullDisk(needed);
  const total = needed.reduce((sum, { size }) => sum + size, 0);
  let bytesSent = 0;
  const stop = new AbortController();
  const sending: Sending = {
    stallMs: options.stallMs ?? DEFAULT_STALL_MS,
    stop: stop.signal,
    onSent: (bytes) => {
      bytesSent += bytes;
      options.onBytes?.(bytesSent, total);
    },
  };
  const queue = needed.map(({ file }) => file);
  const work = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) {
      if (stop.signal.aborted) return;
      await sendFile(connection, file, sending);
    }
  };
  await allOrStop(
    Array.from({ length: options.concurrency ?? 2 }, () => work()),
    stop,
  );
  return { written: needed.map(({ file }) => file.path), bytesSent };
}

interface Needed {
  readonly file: UploadFile;
  readonly size: number;
  readonly freeKib: number | undefined;
  readonly mount: string;
}

/** Ask for all files in one command. */
async function surveyFiles(connection: SshConnection, files: readonly UploadFile[]): Promise<Needed[]> {
  if (files.length === 0) return [];
  const calls = files.map(
    (file) => `survey ${file.sha256.toLowerCase()} ${modeText(file.mode)} ${quote(file.path)}`,
  );
  const what = 'asking which files are there';
  const result = await execScript(connection, [SURVEY, ...calls].join('\n'), [], {
    timeoutMs: SURVEY_TIMEOUT_MS,
  });
  const lines = requireSuccess(connection, what, result).stdout.trim().split('\n');
  if (lines.length !== files.length || !lines.every((line) => /^(have|need \S+ \S.*)$/.test(line))) {
    throw fail('REMOTE_COMMAND', {
      host: connection.target.host,
      command: what,
      ended: 'an answer of another form',
      evidence: escapeLines(result.stdout.slice(0, 500)),
    });
  }
  const needed = files.map(async (file, index): Promise<Needed[]> => {
    const [state, free, mount = '?'] = (lines[index] ?? '').split(' ');
    if (state === 'have') return [];
    const freeKib = Number(free);
    const size = await sizeOf(file.source);
    return [{ file, size, mount, freeKib: Number.isFinite(freeKib) ? freeKib : undefined }];
  });
  return (await Promise.all(needed)).flat();
}

/** Before the first byte: what is to be sent must fit where it goes, compressed or not. */
function refuseFullDisk(needed: readonly Needed[]): void {
  for (const { file, freeKib, mount } of needed) {
    const there = needed.filter((other) => other.mount === mount);
    const wantedKib = there.reduce((sum, { size }) => sum + size / 1024, SAFETY_KIB);
    if (freeKib !== undefined && freeKib < wantedKib) {
      throw fail('DISK_FULL', { path: escapeLine(file.path), free: `${freeKib} KiB` });
    }
  }
}

interface Sending {
  readonly onSent: (bytes: number) => void;
  readonly stallMs: number;
  readonly stop: AbortSignal;
}

async function sendFile(connection: SshConnection, file: UploadFile, sending: Sending): Promise<void> {
  const temporary = posix.join(
    posix.dirname(file.path),
    `.windlass-upload-${randomBytes(8).toString('hex')}`,
  );
  const form = file.isGzip === true ? 'gzip' : 'plain';
  const args = [
    '-c',
    RECEIVE,
    'receive',
    file.path,
    temporary,
    modeText(file.mode),
    file.sha256.toLowerCase(),
    form,
  ];
  const channel = await connection.openSession(renderCommand({ file: 'sh', args }));
  const said = collectOutput(channel.stderr, LONGEST_ANSWER, () => undefined);
  channel.resume();
  const stall = new Stall(sending.stallMs, sending.stop);
  const ended = Promise.race([endOf(channel), stall.happened]);
  try {
    await pump({ connection, channel, ended, stall }, file.source, sending.onSent);
    stall.allow(FINISH_TIMEOUT_MS);
    const code = await ended;
    if (code !== 0) throw explainUpload(connection, file, code, said.text());
  } finally {
    stall.cancel();
    channel.close();
  }
}

interface Line {
  readonly connection: SshConnection;
  readonly channel: ClientChannel;
  /** Resolves when nothing more need be sent. */
  readonly ended: Promise<End>;
  readonly stall: Stall;
}

/** Send the content, or as much of it as the other side takes before it ends. */
async function pump(line: Line, source: string | Uint8Array, onSent: (bytes: number) => void): Promise<void> {
  const ended = line.ended.then(() => 'ended' as const);
  for await (const chunk of contentOf(source)) {
    if ((await Promise.race([taken(line, chunk), ended])) === 'ended') return;
    line.stall.progress();
    onSent(chunk.length);
  }
  line.channel.end();
}

/** ssh2 never calls back for what was being written when a channel closed: race this with the channel's end. */
async function taken({ connection, channel }: Line, chunk: Uint8Array): Promise<'taken'> {
  await new Promise<void>((resolve) => {
    channel.write(chunk, () => {
      resolve();
    });
  });
  await connection.drained();
  return 'taken';
}

type End = number | 'stalled' | { readonly signal: string } | undefined;

/** How the receiver ended: its exit code or a signal, undefined when nobody knows. */
function endOf(channel: ClientChannel): Promise<End> {
  return new Promise((resolve) => {
    channel.once('close', (code?: number | null, signal?: string) => {
      resolve(code ?? (signal === undefined ? undefined : { signal }));
    });
  });
}

/** Happens when there was no progress for a while, or when all are to stop. */
class Stall {
  readonly happened: Promise<'stalled'>;
  readonly #stop: AbortSignal;
  #timer: NodeJS.Timeout | undefined;
  #happen: () => void = () => undefined;

  constructor(ms: number, stop: AbortSignal) {
    this.happened = new Promise((resolve) => {
      this.#happen = (): void => {
        resolve('stalled');
      };
    });
    this.#stop = stop;
    stop.addEventListener('abort', this.#happen, { once: true });
    if (stop.aborted) this.#happen();
    this.allow(ms);
  }

  progress(): void {
    this.#timer?.refresh();
  }

  allow(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#happen, ms);
  }

  cancel(): void {
    clearTimeout(this.#timer);
    this.#stop.removeEventListener('abort', this.#happen);
  }
}

const CODES: Readonly<Record<number, ErrorCode>> = {
  [RECEIVE_EXIT.full]: 'DISK_FULL',
  [RECEIVE_EXIT.readOnly]: 'READ_ONLY',
  [RECEIVE_EXIT.denied]: 'NO_PERMISSION',
};

function explainUpload(connection: SshConnection, file: UploadFile, end: End, said: string): WindlassError {
  const path = escapeLine(file.path);
  if (end === undefined || !connection.isOpen) return connection.lost(`while ${path} was being uploaded`);
  if (end === 'stalled') return fail('UPLOAD', { path, reason: 'the line took no more bytes' });
  if (typeof end === 'object') {
    return fail('UPLOAD', { path, reason: `${escapeLine(end.signal)} ended the command that receives it` });
  }
  const [first = '', ...rest] = said.trim().split('\n');
  const free = /^free-kib (\d+)$/.exec(first)?.[1];
  const reason = escapeLine((first.startsWith('free-kib') ? rest : [first, ...rest]).join('; ')).slice(
    0,
    500,
  );
  const host = connection.target.host;
  return fail(CODES[end] ?? 'UPLOAD', {
    host,
    path,
    reason,
    ...(free !== undefined && { free: `${free} KiB` }),
  });
}

/** Let all end before the first failure is thrown, so that nothing of ours is still being written afterwards. */
async function allOrStop(work: readonly Promise<void>[], stop: AbortController): Promise<void> {
  let first: unknown;
  const guarded = work.map((one) =>
    one.catch((error: unknown) => {
      first ??= error;
      stop.abort();
    }),
  );
  await Promise.all(guarded);
  if (first instanceof Error) throw first;
}

function contentOf(source: string | Uint8Array): AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return typeof source === 'string' ? chunksOf(source) : slices(source);
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, { highWaterMark: CHUNK }) as AsyncIterable<Buffer>;
  } catch (error) {
    throw unreadable(path, error);
  }
}

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += CHUNK) yield bytes.subarray(at, at + CHUNK);
}

async function sizeOf(source: string | Uint8Array): Promise<number> {
  if (typeof source !== 'string') return source.length;
  const found = await stat(source).catch((error: unknown) => {
    throw unreadable(source, error);
  });
  return found.size;
}

const unreadable = (source: string, error: unknown): WindlassError =>
  fail('UPLOAD', { path: escapeLine(source), reason: `here: ${errnoOf(error) ?? String(error)}` }, error);

const modeText = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

function refuseBadFile({ path, sha256 }: UploadFile): void {
  if (!path.startsWith('/') || path.endsWith('/') || path.includes('\n') || path.includes('\0')) {
    throw fail('UPLOAD', { path: escapeLine(path), reason: 'it is not an absolute path of a file' });
  }
  if (!/^[0-9a-f]{64}$/i.test(sha256)) {
    throw fail('UPLOAD', { path: escapeLine(path), reason: `${escapeLine(sha256)} is not a sha256` });
  }
}
