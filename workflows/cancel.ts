/** The signal twin of Temporal's own cancel, for those who have signals only. */
import { CancellationScope, isCancellation, setHandler } from '@temporalio/workflow';
import { workflowFailure } from './failures.ts';
import { cancelSignal } from './messages.ts';

/**
 * Do the work of a run so that the signal cancels it. For Temporal such a run has failed, so its end bears our code;
 * one that Temporal itself cancels ends as cancelled.
 */
export async function cancellableBySignal<T>(work: () => Promise<T>, description: string): Promise<T> {
  const run = CancellationScope.current();
  let isAsked = false as boolean;
  setHandler(
    cancelSignal,
    () => {
      isAsked = true;
      run.cancel();
    },
    { description },
  );
  try {
    return await work();
  } catch (error) {
    if (isAsked && isCancellation(error)) throw workflowFailure('RUN_CANCELLED', {});
    throw error;
  }
}
