/** `windlass logs`: the logs of the units of a cluster, over ssh; `--follow` goes on as they grow. With --json each line is an object. */
import { expandHome, layoutOf } from '../cluster/layout.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile, NodeEntry } from '../config/schema.ts';
import { Exit } from '../errors.ts';
import { connectNode, named } from '../placing/reach.ts';
import { execOk } from '../ssh/exec.ts';
import type { CommandContext } from './context.ts';
import { nodeNamed } from './node-named.ts';
import { UnitLog } from './unit-log.ts';

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
    const log = new UnitLog(connection, runs, unit, print);
    if (!(await log.printLast(lines, follow))) output.note(`${entry.name}: no log of ${unit}`);
    if (!follow) return;
    while (!context.signal.aborted) {
      await new Promise((resolve) => setTimeout(resolve, lookEveryMs));
      await log.printNew();
    }
  } finally {
    connection.close();
  }
}
