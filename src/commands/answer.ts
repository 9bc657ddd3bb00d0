/** `windlass retry` and `windlass approve`: answer a run that waits for a person. What it does then, `up` follows. */
import { clusterWorkflowId } from '../cluster/names.ts';
import type { Wait } from '../cluster/waits.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit } from '../errors.ts';
import type { Answer } from '../temporal/answers.ts';
import type { CommandContext } from './context.ts';
import { withStandingHome } from './home-client.ts';
import { nodeNamed } from './node-named.ts';

export async function answer(
  kind: Answer,
  path: string,
  node: string | undefined,
  { output, env }: CommandContext,
): Promise<number> {
  const { file } = await loadClusterFile(path);
  if (node !== undefined) nodeNamed(file, node);
  const waits = await withStandingHome(file, env, async (client) => {
    const { answerRun } = await import('../temporal/answers.ts');
    return answerRun(client, file.name, kind, node);
  });
  output.line(explainAnswer(kind, file.name, waits));
  output.note(`follow it:  windlass up ${path}`);
  output.result({ ok: true, answer: kind, workflow: clusterWorkflowId(file.name), answered: waits });
  return Exit.done;
}

/** What the run was told, for each thing that it waited for. */
export function explainAnswer(kind: Answer, cluster: string, waits: readonly Wait[]): string {
  const head =
    kind === 'retry' ? `${cluster}: asked to look again now at` : `${cluster}: told to go on despite`;
  const lines = waits.flatMap(({ what, approval }) => [
    `  ${what.split('\n')[0] ?? ''}`,
    ...(kind === 'approve' && approval !== null ? [`    it will ${approval}`] : []),
  ]);
  return [head, ...lines].join('\n');
}
