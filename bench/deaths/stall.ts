/** How long a run stood still after a death: its own history tells, to the millisecond. */
import type { StoredEvent } from '../../test/faults/judge/histories.ts';

/** Moments in milliseconds of Unix time. */
export interface Stall {
  /** When there was work for the workflow, the first that was not done before the death; it may lie before the death. */
  readonly readyAt: number;
  /** When that work was done: a workflow task that began after the death was completed. */
  readonly resumedAt: number;
}

/**
 * Find what followed a death in a history. A task that the dead had begun, or that waits for nobody, counts from its
 * first scheduling, not from that of its next attempt. Null where no task began after the death. Pure.
 */
export function stallAfter(events: readonly StoredEvent[], killedAt: number): Stall | null {
  let [readyAt, startedAt] = [Number.NaN, Number.NaN];
  for (const { eventType, eventTime } of events) {
    const at = Date.parse(eventTime);
    if (eventType === 'EVENT_TYPE_WORKFLOW_TASK_SCHEDULED' && Number.isNaN(readyAt)) readyAt = at;
    if (eventType === 'EVENT_TYPE_WORKFLOW_TASK_STARTED') startedAt = at;
    if (eventType !== 'EVENT_TYPE_WORKFLOW_TASK_COMPLETED') continue;
    if (startedAt >= killedAt) return { readyAt, resumedAt: at };
    readyAt = Number.NaN;
  }
  return null;
}
