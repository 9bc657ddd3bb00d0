/** Nodes from which nobody hears: waited for, visibly, or told as what they are. */
import { CancellationScope, isCancellation } from '@temporalio/workflow';
import type { StepName } from '../../src/cluster/board.ts';
import { wantOf } from '../../src/cluster/waits.ts';
import type { SpecNode } from '../../src/config/schema.ts';
import { isNodeWorkerSilent, workflowFailure } from '../failures.ts';
import type { AskPerson } from '../progress.ts';

/** A node worker that does not come is soon looked for again without a person: a machine may be booting. */
const lookAgainMs = 60_000;

/** Do work on a node, again for as long as nobody hears from it: its queue keeps the next try for it. */
export async function untilHeard<T>(
  node: SpecNode,
  step: StepName,
  ask: AskPerson,
  work: () => Promise<T>,
): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isNodeWorkerSilent(error)) throw error;
      const data = { node: node.name, address: node.address };
      const what = wantOf('NODE_WORKER_SILENT', data, `${node.name} · ${step}`);
      const wait = { node: node.name, step, code: 'NODE_WORKER_SILENT', what, approval: null } as const;
      await ask([wait], lookAgainMs).catch((ended: unknown) => {
        // A run that is to end waits no longer; what is shielded from that has to be done, and was not.
        const isShielded = !CancellationScope.current().consideredCancelled;
        throw isCancellation(ended) && isShielded ? asSilence(error, node) : ended;
      });
    }
  }
}

/** What a node from which nobody hears is told as; any other failure as it is. */
export const asSilence = (error: unknown, { name, address }: SpecNode): unknown =>
  isNodeWorkerSilent(error) ? workflowFailure('NODE_WORKER_SILENT', { node: name, address }) : error;
