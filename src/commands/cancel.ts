/** `windlass cancel`: end the run that is under way. What serves already goes on; `windlass down` stops that. */
import { clusterWorkflowId } from '../cluster/names.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit, fail } from '../errors.ts';
import type { CommandContext } from './context.ts';
import { withStandingHome } from './home-client.ts';

/** Returns when the run has ended, and what it had begun to start is stopped. Throws NOTHING_RUNS. */
export async function cancel(path: string, { output, env }: CommandContext): Promise<number> {
  const { file } = await loadClusterFile(path);
  await withStandingHome(file, env, async (client) => {
    const { cancelRun } = await import('../temporal/runs.ts');
    const wasRunning = await cancelRun(client, clusterWorkflowId(file.name), (away) => {
      output.note(away ? 'contact to the home was lost; waiting for it…' : 'contact again');
    });
    if (!wasRunning) throw fail('NOTHING_RUNS', { cluster: file.name });
  });
  output.line(
    `${file.name}: the run was cancelled and has ended; a gang that it had started is stopped, what it found serving goes on`,
  );
  output.result({ ok: true, cancelled: clusterWorkflowId(file.name) });
  return Exit.done;
}
