/** `windlass cancel`: end the run that is under way. What serves already goes on; `windlass down` stops that. */
import { clusterWorkflowId } from '../cluster/names.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit, WindlassError, fail } from '../errors.ts';
import type { EndedRun } from '../temporal/runs.ts';
import type { CommandContext } from './context.ts';
import { withStandingHome } from './home-client.ts';

/**
 * Returns when the run has ended, and what it had begun to start is stopped. Throws NOTHING_RUNS, and what kept the run
 * from leaving nothing behind.
 */
export async function cancel(path: string, { output, env }: CommandContext): Promise<number> {
  const { file } = await loadClusterFile(path);
  const ended = await withStandingHome(file, env, async (client) => {
    const { cancelRun } = await import('../temporal/runs.ts');
    return cancelRun(client, clusterWorkflowId(file.name), (away) => {
      output.note(away ? 'contact to the home was lost; waiting for it…' : 'contact again');
    });
  });
  if (!ended) throw fail('NOTHING_RUNS', { cluster: file.name });
  if (ended.failure !== null && !isCancelled(ended.failure)) throw ended.failure;
  output.line(`${file.name}: ${howItEnded(ended)}`);
  const workflow = clusterWorkflowId(file.name);
  output.result({ ok: true, cancelled: ended.failure === null ? null : workflow });
  return Exit.done;
}

const isCancelled = (failure: Error): boolean =>
  failure instanceof WindlassError && failure.code === 'RUN_CANCELLED';

function howItEnded({ type, failure }: EndedRun): string {
  if (failure === null)
    return 'the run had come to its end before it was cancelled; windlass status says how';
  return type === 'tearDownCluster'
    ? 'the tear-down was cancelled and has ended; what it had not stopped yet goes on'
    : 'the run was cancelled and has ended; a gang that it had started is stopped, what it found serving goes on';
}
