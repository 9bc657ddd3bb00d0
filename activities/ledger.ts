/** `ledger.jsonl`: one appended line for each change made to this node. Units write their own lines. */
import type { RunRef } from '../src/cluster/inputs.ts';
import { appendLine } from '../src/process/files.ts';
import type { NodeContext } from './context.ts';

/** Record a change that an activity made itself. */
export async function recordChange(
  context: NodeContext,
  run: RunRef,
  step: string,
  what: string,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await appendLine(
    context.layout.ledger,
    JSON.stringify({ at: Date.now(), run: run.fence.run, step, what, ...more }),
  );
}
