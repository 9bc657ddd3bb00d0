/** Answers of a person to a run that waits: each is a signal, sent only where it will be heard. */
import type { Client } from '@temporalio/client';
import type { Board } from '../cluster/board.ts';
import { clusterWorkflowId, keeperWorkflowId } from '../cluster/names.ts';
import type { Wait } from '../cluster/waits.ts';
import { fail } from '../errors.ts';
import { askRun, runStuck } from './ask-run.ts';
import { isNoSuchRun } from './no-such-run.ts';

/** The command and the signal that it sends. */
const signals = { retry: 'retryNode', approve: 'approve' } as const;
export type Answer = keyof typeof signals;

/**
 * Answer what the run of a cluster, or its keeper, waits for, on one node or on all. Returns what was answered. Throws
 * NOTHING_WAITS, NOT_APPROVABLE where going on would not help, and RUN_STUCK where nobody would hear it.
 */
export async function answerRun(
  client: Client,
  cluster: string,
  answer: Answer,
  node?: string,
): Promise<readonly Wait[]> {
  const run = clusterWorkflowId(cluster);
  // Its keeper, too, waits for a person when it may start the gang no more.
  for (const workflowId of [run, keeperWorkflowId(cluster)]) {
    const waits = (await waitsOf(client, workflowId)).filter(
      (wait) => node === undefined || wait.node === node,
    );
    const [first] = waits;
    if (!first) continue;
    const meant = answer === 'retry' ? waits : waits.filter(({ approval }) => approval !== null);
    if (meant.length === 0) throw fail('NOT_APPROVABLE', { what: first.what.split('\n')[0] });
    const handle = client.workflow.getHandle(workflowId);
    await handle.signal(signals[answer], node === undefined ? {} : { node });
    return meant;
  }
  throw fail('NOTHING_WAITS', { what: node === undefined ? run : `on ${node}, ${run}` });
}

/** What the run waits for now; a run that has ended, or was never there, waits for nothing. */
async function waitsOf(client: Client, workflowId: string): Promise<readonly Wait[]> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const description = await handle.describe();
    if (description.status.name !== 'RUNNING') return [];
    const { answer, stuck } = await askRun<Pick<Board, 'waitingFor'>>(client, description, 'status');
    if (stuck) throw runStuck(client, workflowId, stuck);
    return answer?.waitingFor?.all ?? [];
  } catch (error) {
    if (isNoSuchRun(error)) return [];
    throw error;
  }
}
