/** Bring a lost gang back under `cluster/<name>`, which is also the lock: whoever holds it already is not disturbed. */
import type { ChildWorkflowHandle } from '@temporalio/workflow';
import { ChildWorkflowFailure, startChild } from '@temporalio/workflow';
import { clusterWorkflowId } from '../../src/cluster/names.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import type { bringUpCluster } from '../bring-up.ts';
import { control } from '../activities.ts';
import { isCancelledRun } from '../failures.ts';
import type { Keeper } from '../keeper.ts';
import type { tearDownCluster } from '../tear-down.ts';

/** `another run`: one that is not the keeper's, or that a person has ended, and that left nothing serving. */
export type Ending =
  | { readonly how: 'served' }
  | { readonly how: 'failed'; readonly error: Error }
  | { readonly how: 'another run' };

type Type = 'bringUpCluster' | 'tearDownCluster';

/** Start a run of its own for the keeper's cluster; null where another run holds the id. It outlives the keeper. */
async function startRun<T extends typeof bringUpCluster | typeof tearDownCluster>(
  type: Type,
  { serving: { spec } }: Keeper,
): Promise<ChildWorkflowHandle<T> | null> {
  try {
    return await startChild<T>(type, {
      workflowId: clusterWorkflowId(spec.name),
      args: [spec] as Parameters<T>,
      parentClosePolicy: 'ABANDON',
      cancellationType: 'ABANDON',
      staticSummary: `${spec.name} · ${type} by its keeper`,
    });
  } catch (error) {
    if (error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError') return null;
    throw error;
  }
}

/** Observe, stop what is left of the gang, prove that it is gone, and start all ranks again. */
export async function repair(keeper: Keeper): Promise<Ending> {
  keeper.enter('repairs');
  const run = await startRun<typeof bringUpCluster>('bringUpCluster', keeper);
  if (!run) return afterOther(keeper);
  keeper.repairsBy(run.firstExecutionRunId);
  try {
    const report: BringUpReport = await run.result();
    if (report.changes === 0) keeper.wasNoLoss();
    return { how: 'served' };
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure)) throw error;
    return isCancelledRun(error) ? { how: 'another run' } : { how: 'failed', error };
  }
}

/** A gang that is broken must not go on holding memory, and keeping its clients waiting for ever. */
export async function stopLeftovers(keeper: Keeper): Promise<void> {
  keeper.enter('repairs');
  const run = await startRun<typeof tearDownCluster>('tearDownCluster', keeper);
  if (!run) {
    await afterOther(keeper);
    return;
  }
  await run.result().catch(async (error: unknown) => {
    // What could not be stopped is told by that run.
    if (!(error instanceof ChildWorkflowFailure)) throw error;
    if (isCancelledRun(error)) await keeper.standBy();
  });
}

/** Wait for the run that holds the id. A bring-up that ended well may have looked before the loss: the keeper looks. */
async function afterOther(keeper: Keeper): Promise<Ending> {
  keeper.enter('waits for another run');
  const workflowId = clusterWorkflowId(keeper.serving.spec.name);
  const { type, run } = await control.describeRun({ workflowId });
  const result = await control.awaitRun({ workflowId, run });
  const hasServed = type === 'bringUpCluster' && result !== null;
  return { how: keeper.isTold || hasServed ? 'served' : 'another run' };
}
