/** The log of a unit on a node, read over ssh as it grows, is kept under another name, and begins anew. */
import type { SshConnection } from '../ssh/connection.ts';
import { execOk } from '../ssh/exec.ts';

/** Bytes that are read at once. */
const mostAtOnce = 4 * 1024 * 1024;

interface Log {
  readonly path: string;
  readonly inode: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly changedAt: number;
}

/** The newest log of a unit, by a part of the unit's name, below the folder `runs`; every line is printed once and whole. */
export class UnitLog {
  readonly #connection: SshConnection;
  readonly #runs: string;
  readonly #unit: string;
  readonly #print: (line: string) => void;
  #log: Log | null = null;
  /** The byte of it from which nothing has been printed yet. */
  #at = 0;

  constructor(connection: SshConnection, runs: string, unit: string, print: (line: string) => void) {
    this.#connection = connection;
    this.#runs = runs;
    this.#unit = unit;
    this.#print = print;
  }

  /** Print the last lines of what is there; `goesOn` keeps an unfinished line for later. Returns false for no log at all. */
  async printLast(lines: number, goesOn: boolean): Promise<boolean> {
    const log = await newestLog(this.#connection, this.#runs, this.#unit);
    if (log === null) return false;
    this.#log = log;
    this.#at = printLines(await lastLines(this.#connection, log, lines), log.size, goesOn, this.#print);
    return true;
  }

  /** Print what has come since. */
  async printNew(): Promise<void> {
    const log = this.#log;
    const now = await newestLog(this.#connection, this.#runs, this.#unit);
    // While a unit is started anew it has none for a moment, and that of an older one is not meant.
    if (now === null || (log !== null && now.path !== log.path && now.changedAt <= log.changedAt)) return;
    if (now.inode !== log?.inode) {
      // Each start begins a log of its own, and a full one is kept under another name: that one to its end first.
      const before = log === null ? null : await sameFile(this.#connection, log);
      if (before !== null) await this.#printOn(before, false);
      this.#at = 0;
    } else if (now.size < this.#at) this.#at = 0;
    this.#log = now;
    await this.#printOn(now, true);
  }

  /** Print a log from where we are to the end that it had when it was looked at. */
  async #printOn(log: Log, goesOn: boolean): Promise<void> {
    for (let end = this.#at; end < log.size;) {
      end = Math.min(log.size, this.#at + mostAtOnce);
      const bytes = await part(this.#connection, log, this.#at, end);
      this.#at = printLines(bytes, end, goesOn || end < log.size, this.#print);
    }
  }
}

async function newestLog(connection: SshConnection, runs: string, unit: string): Promise<Log | null> {
  const script =
    'log=$(ls -1t "$1"/windlass-*"$2"*/log 2>/dev/null | head -n 1); stat -c "%i %s %Y %n" -- "$log" 2>/dev/null || :';
  const { stdout } = await execOk(connection, { file: 'sh', args: ['-c', script, 'sh', runs, unit] });
  return readLogs(stdout)[0] ?? null;
}

/** The same file as it is now, under whichever name it is kept; null where it is gone. */
async function sameFile(connection: SshConnection, { path, inode }: Log): Promise<Log | null> {
  const script = 'stat -c "%i %s %Y %n" -- "$1" "$1.older" "$1.before" 2>/dev/null || :';
  const { stdout } = await execOk(connection, { file: 'sh', args: ['-c', script, 'sh', path] });
  return readLogs(stdout).find((log) => log.inode === inode) ?? null;
}

/** Read what `stat -c "%i %s %Y %n"` prints. */
const readLogs = (answer: string): Log[] =>
  [...answer.matchAll(/^(\d+) (\d+) (\d+) (.*)$/gm)].map(([, inode = '', size, changedAt, path = '']) => ({
    path,
    inode,
    size: Number(size),
    changedAt: Number(changedAt),
  }));

/** The last lines of what was there when it was looked at. */
const lastLines = (connection: SshConnection, { path, size }: Log, lines: number): Promise<Buffer> =>
  bytesOf(connection, 'head -c "$2" -- "$1" | tail -n "$3"', [path, String(size), String(lines)]);

const part = (connection: SshConnection, { path }: Log, from: number, end: number): Promise<Buffer> =>
  bytesOf(connection, 'tail -c "+$2" -- "$1" | head -c "$3"', [path, String(from + 1), String(end - from)]);

/** What a pipe prints, byte by byte: a log may hold anything, and a part of it may begin or end within a character. */
async function bytesOf(connection: SshConnection, pipe: string, args: readonly string[]): Promise<Buffer> {
  const { stdout } = await execOk(
    connection,
    { file: 'sh', args: ['-c', `${pipe} | base64`, 'sh', ...args] },
    { maxBytes: 4 * mostAtOnce },
  );
  return Buffer.from(stdout, 'base64');
}

/**
 * Print the lines of a part of a log that ends at byte `end`, and return where the next part begins. One that goes on
 * keeps its last line for then, unless it is all there is of a very long one.
 */
export function printLines(
  bytes: Buffer,
  end: number,
  goesOn: boolean,
  print: (line: string) => void,
): number {
  const whole = bytes.lastIndexOf('\n') + 1;
  const length = goesOn && (whole > 0 || bytes.length < mostAtOnce) ? whole : bytes.length;
  const text = bytes.subarray(0, length).toString('utf8').replace(/\n$/, '');
  if (length > 0) for (const line of text.split('\n')) print(line);
  return end - (bytes.length - length);
}
