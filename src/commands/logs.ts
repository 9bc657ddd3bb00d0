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
  options: LogsOptions,
  context: CommandContext,
  withName: boolean,
): Promise<void> {
  const connection = await connectNode(file, entry, context.env);
  try {
    const { stdout: home } = await execOk(connection, { file: 'sh', args: ['-c', 'printf %s "$HOME"'] });
    const log = await newestLog(connection, layoutOf(expandHome(file.root, home)).runs, options.unit);
    if (log === null) {
      context.output.note(`${entry.name}: no log of ${options.unit}`);
      return;
    }
    let offset = await print(connection, log, ['-n', String(options.lines)], entry, context, withName, null);
    while (options.follow === true && !context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
      offset = await print(connection, log, ['-c', `+${offset + 1}`], entry, context, withName, offset);
    }
  } finally {
    connection.close();
  }
}

async function newestLog(connection: SshConnection, runs: string, unit: string): Promise<string | null> {
  const { stdout } = await execOk(connection, {
    file: 'sh',
    args: ['-c', 'ls -1t "$1"/windlass-*"$2"*/log 2>/dev/null | head -n 1', 'sh', runs, unit],
  });
  return stdout.trim() === '' ? null : stdout.trim();
}

/** Print a part of a log and return where it ends. */
async function print(
  connection: SshConnection,
  log: string,
  part: readonly string[],
  entry: NodeEntry,
  { output }: CommandContext,
  withName: boolean,
  from: number | null,
): Promise<number> {
  const size = async (): Promise<number> =>
    Number((await execOk(connection, { file: 'stat', args: ['-c', '%s', '--', log] })).stdout);
  const before = await size();
  if (from !== null && before <= from) return before < from ? 0 : from;
  const { stdout } = await execOk(
    connection,
    { file: 'tail', args: [...part, '--', log] },
    { maxBytes: 8 * 1024 * 1024 },
  );
  for (const line of stdout.replace(/\n$/, '').split('\n')) {
    output.line(withName ? `${entry.name} │ ${line}` : line);
    output.result({ node: entry.name, line });
  }
  return from === null ? before : from + Buffer.byteLength(stdout);
}
