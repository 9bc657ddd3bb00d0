/** What a command says that lets go of its run, which goes on. */
import { clusterWorkflowId } from '../cluster/names.ts';
import type { ClusterFile } from '../config/schema.ts';
import { Exit } from '../errors.ts';
import type { CommandContext } from './context.ts';

/** Say where the run goes on, and what can be done about it. Returns the exit code. */
export function detached(
  file: ClusterFile,
  next: readonly string[],
  { output }: Pick<CommandContext, 'output'>,
): number {
  const workflow = clusterWorkflowId(file.name);
  output.note([`detached; the run ${workflow} goes on at the home on ${file.head}`, ...next].join('\n  '));
  output.result({ ok: true, detached: true, workflow });
  return Exit.detached;
}
