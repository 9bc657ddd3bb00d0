/**
 * Ask a run that is under way what it says of itself, or learn that it stands still, since the windlass that is placed
 * cannot replay it, or since no control worker is there at all. The service calls such a run running; a query is refused
 * by the worker, or never answered.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import type { WindlassError } from '../errors.ts';
import { fail } from '../errors.ts';
import { grpcCodeOf } from './grpc-code.ts';

export interface Stuck {
  /** What did not replay, as the worker said it, or that none answers. */
  readonly reason: string;
  /** No control worker is there at all. */
  readonly isUnanswered: boolean;
  /** When the service was told so, in milliseconds since 1970; null where only a query met it so far. */
  readonly since: number | null;
}

export interface Asked<T> {
  /** Null where it is stuck. */
  readonly answer: T | null;
  readonly stuck: Stuck | null;
}

type Described = Pick<WorkflowExecutionDescription, 'workflowId' | 'runId' | 'raw'>;

/** A worker that is there answers within a second; one that was started just now first looks at all runs. */
const answerLimitMs = 20_000;
const askAgainMs = 500;

/** Query a run as it was described a moment ago. Throws what the query throws, unless the run is stuck. */
export async function askRun<T>(
  client: Client,
  described: Described,
  query: 'status' | 'spec',
  limitMs = answerLimitMs,
): Promise<Asked<T>> {
  const stuck = await stuckOf(client, described);
  if (stuck) return { answer: null, stuck };
  const handle = client.workflow.getHandle(described.workflowId, described.runId);
  try {
    return { answer: await answerOf(client, () => handle.query<T>(query), limitMs), stuck: null };
  } catch (error) {
    // Where the service itself is away, this throws; where it answers, it is the worker that did not.
    const now = await handle.describe();
    const met = stuckByQuery(error) ?? (await stuckOf(client, now)) ?? (gotNoAnswer(error) ? noWorker : null);
    if (!met) throw error;
    return { answer: null, stuck: met };
  }
}

/** The service refuses a query at once while it has not heard of a worker lately, as after a restart of its own. */
async function answerOf<T>(client: Client, ask: () => Promise<T>, limitMs: number): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    try {
      return await client.withDeadline(deadline, ask);
    } catch (error) {
      const isOver = grpcCodeOf(error) === cancelled || Date.now() + askAgainMs >= deadline;
      if (!gotNoAnswer(error) || isOver) throw error;
      await sleep(askAgainMs);
    }
  }
}

/** gRPC. One call in fifty or so that meets its deadline ends as cancelled instead (measured). */
const cancelled: number = 1;
/** That, deadline exceeded; resource exhausted, by questions that wait already; failed precondition, for want of a worker. */
const unansweredCodes: readonly (number | null)[] = [cancelled, 4, 8, 9];
const gotNoAnswer = (error: unknown): boolean => unansweredCodes.includes(grpcCodeOf(error));

const noWorker: Stuck = {
  reason: 'its control worker does not answer',
  isUnanswered: true,
  since: null,
};

/** Types of events, and a cause of a failed task, as the service numbers them. */
const taskCompleted: number = 7;
const taskFailed: number = 9;
const versionChanged: number = 55;
const nonDeterminism: number = 24;

/** The newest events. Between a failed task and the next stands only what happened meanwhile. */
const eventsRead = 100;

/** What keeps a run from going on, or null. It asks the service only about a run that waits for its worker. */
async function stuckOf(client: Client, { workflowId, runId, raw }: Described): Promise<Stuck | null> {
  if (!raw.pendingWorkflowTask) return null;
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: eventsRead,
  });
  const last = history?.events?.find(({ eventType }) =>
    // One that was given to another version since is about to be tried anew.
    [taskCompleted, taskFailed, versionChanged].includes(eventType ?? 0),
  );
  const failed = last?.workflowTaskFailedEventAttributes;
  if (!failed || Number(failed.cause) !== nonDeterminism) return null;
  return {
    reason: withoutMark(failed.failure?.message ?? ''),
    isUnanswered: false,
    since: Number(last.eventTime?.seconds ?? 0) * 1_000,
  };
}

/** How the SDK marks this failure. A query that is refused for it has no other sign. */
const mark = '[TMPRL1100]';

function stuckByQuery(error: unknown): Stuck | null {
  const message = String((error as { readonly message?: unknown } | undefined)?.message);
  return message.includes(mark) ? { reason: withoutMark(message), isUnanswered: false, since: null } : null;
}

const withoutMark = (message: string): string => message.replace(mark, '').trim();

/** The error that says so. */
export const runStuck = (
  { options: { namespace } }: { readonly options: { readonly namespace: string } },
  workflow: string,
  { reason, isUnanswered }: Stuck,
): WindlassError => fail('RUN_STUCK', { workflow, namespace, reason, isUnanswered });
