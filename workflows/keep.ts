/** Keep a serving cluster serving: watch every rank on its own node, and when one is lost start all again as one. */
import { continueAsNew } from '@temporalio/workflow';
import type { Kept } from '../src/cluster/keeper.ts';
import { cancellableBySignal } from './cancel.ts';
import { isGangFailure, isStuck } from './failures.ts';
import { Keeper } from './keeper.ts';
import { repair, stopLeftovers } from './steps/repair.ts';
import { untilLost } from './steps/watch.ts';

/** Started by `bringUpCluster`, and told by each of its runs what serves; ends when it is cancelled. */
export async function keepCluster(kept: Kept): Promise<never> {
  return cancellableBySignal(
    () => keep(new Keeper(kept)),
    'End this keeper: nobody watches the cluster any longer, and what serves goes on. No input.',
  );
}

async function keep(keeper: Keeper): Promise<never> {
  for (;;) {
    if (keeper.isHistoryLong) await continueAsNew<typeof keepCluster>(keeper.kept);
    const loss = await untilLost(keeper);
    if (loss !== null) await untilServing(keeper, loss);
  }
}

/**
 * A repair is a whole bring-up, which tells the keeper what serves then. A circuit breaker ends it: when the gang was
 * lost too often in the same way, or when a repair has failed, which has tried several times itself.
 */
async function untilServing(keeper: Keeper, loss: Error): Promise<void> {
  if (keeper.noteLoss(loss)) {
    await stopLeftovers(keeper);
    await keeper.openCircuit(loss, 'it was lost in the same way three times within an hour');
  } else if (isStuck(loss)) {
    // All its ranks live: a repair would take it for one that serves, and wait for its answer for minutes more.
    await stopLeftovers(keeper);
  }
  while (!keeper.isTold) {
    const ending = await repair(keeper);
    if (ending.how === 'failed') {
      // It may have failed before it came to the gang. What nobody has seen broken may serve on.
      if (isGangFailure(loss)) await stopLeftovers(keeper);
      await keeper.openCircuit(ending.error, 'its repair failed');
    }
    if (ending.how === 'another run') await keeper.standBy();
  }
}
