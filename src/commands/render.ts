/** `windlass render`: the one JSON object that a workflow takes, for `temporal workflow start`, schedules and CI. */
import { loadClusterFile } from '../config/load.ts';
import { Exit, fail } from '../errors.ts';
import { reachNodes } from '../placing/reach.ts';
import { specOf } from '../placing/spec.ts';
import type { CommandContext } from './context.ts';

/** Ids are minted on the nodes at placing, so they are read from there. */
export async function render(path: string, context: CommandContext): Promise<number> {
  const { file } = await loadClusterFile(path);
  const reached = await reachNodes(file, context.env);
  try {
    const spec = specOf(file, (entry) => {
      const id = reached.find((node) => node.entry === entry)?.facts.state.identity?.id;
      if (id === undefined) throw fail('NO_HOME', { node: entry.name });
      return id;
    });
    context.output.raw(`${JSON.stringify(spec, null, context.output.isJson ? 0 : 2)}\n`);
    return Exit.done;
  } finally {
    for (const { connection } of reached) connection.close();
  }
}
