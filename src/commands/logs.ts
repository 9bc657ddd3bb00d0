/** `windlass logs`: the logs of the units of a cluster, over ssh; `--follow` goes on as they grow. With --json each line is an object. */
import { expandHome, layoutOf } from '../cluster/layout.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile, NodeEntry } from '../config/schema.ts';
import { Exit } from '../errors.ts';
import { connectNode, named } from '../placing/reach.ts';
import type { SshConnection } from '../ssh/connection.ts';
import { execOk } from '../ssh/exec.ts';
import type { CommandContext } from './context.ts';
import { nodeNamed } from './node-named.ts';

export interface LogsOptions {
  readonly node?: string;
  /** Part of a unit's name: engine, ray, wheels, model, proof. */
  readonly unit: string;
  readonly lines: number;
  readonly follow?: boolean;
}

const lookEveryMs = 500;
/** Bytes that are read at once. */
const mostAtOnce = 4 * 1024 * 1024;

export async function logs(path: string, options: LogsOptions, context: CommandContext): Promise<number> {
  const { file } = await loadClusterFile(path);
  const entries = nodesOf(file, options);
  await Promise.all(
    entries.map((entry) =>
      named(entry, undefined, () => logsOf(file, entry, options, context, entries.length > 1)),
    ),
  );
  return context.signal.aborted ? Exit.detached : Exit.done;
}

/** The engine runs on the head; other units on every node. */
function nodesOf(file: ClusterFile, { node, unit }: LogsOptions): readonly NodeEntry[] {
  const wanted = node ?? (unit === 'engine' ? file.head : undefined);
  if (wanted === undefined) return file.nodes;
  return [nodeNamed(file, wanted)];
}

async function logsOf(
  file: ClusterFile,
  entry: NodeEntry,
  { unit, lines, follow = false }: LogsOptions,
  context: CommandContext,
  withName: boolean,
): Promise<void> {
  const { output } = context;
  const connection = await connectNode(file, entry, context.env);
  try {
    const { stdout: home } = await execOk(connection, { file: 'sh', args: ['-c', 'printf %s "$HOME"'] });
    const { runs } = layoutOf(expandHome(file.root, home));
    const print = (line: string): void => {
      output.line(withName ? `${entry.name} │ ${line}` : line);
      output.result({ node: entry.name, line });
    };
    let log = await newestLog(connection, runs, unit);
    if (log === null) output.note(`${entry.name}: no log of ${unit}`);
    let at = log === null ? 0 : printLines(await lastLines(connection, log, lines), log.size, follow, print);
    if (!follow) return;
    while (!context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
      const now = await newestLog(connection, runs, unit);
      // While a unit is started anew it has none for a moment, and that of an older one is not meant.
      if (now === null || (log !== null && now.path !== log.path && now.changedAt <= log.changedAt)) continue;
      // Each start begins a log of its own.
      if (now.inode !== log?.inode || now.size < at) at = 0;
      log = now;
      const end = Math.min(log.size, at + mostAtOnce);
      if (end > at) at = printLines(await part(connection, log, at, end), end, true, print);
    }
  } finally {
    connection.close();
  }
}

interface Log {
  readonly path: string;
  readonly inode: string;
  /** Bytes. */
  readonly size: number;
  /** Seconds since 1970. */
  readonly changedAt: number;
}

async function newestLog(connection: SshConnection, runs: string, unit: string): Promise<Log | null> {
  const script =
    'log=$(ls -1t "$1"/windlass-*"$2"*/log 2>/dev/null | head -n 1); stat -c "%i %s %Y %n" -- "$log" 2>/dev/null || :';
  const { stdout } = await execOk(connection, { file: 'sh', args: ['-c', script, 'sh', runs, unit] });
  const [, inode, size, changedAt, path] = /^(\d+) (\d+) (\d+) (.*)\n$/.exec(stdout) ?? [];
  return inode === undefined || path === undefined
    ? null
    : { path, inode, size: Number(size), changedAt: Number(changedAt) };
}

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
