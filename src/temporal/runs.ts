/** Start, attach to, follow and cancel the runs of a cluster. The run lives at the home; this is only a window to it. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import {
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
  WorkflowNotFoundError,
} from '@temporalio/client';
import {
  ApplicationFailure,
  CancelledFailure,
  NamespaceNotFoundError,
  TerminatedFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { readProgress } from '../cluster/act-progress.ts';
import type { Board } from '../cluster/board.ts';
import { canonicalJson } from '../cluster/hash.ts';
import { clusterWorkflowId, controlQueue, prepareWorkflowId, readActivityId } from '../cluster/names.ts';
import { modelTitle } from '../cluster/models.ts';
import { ClusterSpec } from '../config/schema.ts';
import type { ErrorDetails } from '../errors.ts';
import { Problems, WindlassError, fail, isErrorCode } from '../errors.ts';
import type { LiveActivity } from '../output/live-board.ts';
import type { Stuck } from './ask-run.ts';
import { askRun, stuckOf } from './ask-run.ts';
import { whileUnreachable } from './connection.ts';
import { keptBy } from './kept.ts';

export type RunType = 'bringUpCluster' | 'tearDownCluster';

export interface StartedRun {
  readonly handle: WorkflowHandle;
  /** False: it ran already with the same spec, and this is it. */
  readonly isNew: boolean;
  /** The version of windlass that it goes on with; null where that is the one placed. */
  readonly keptBy: string | null;
}

// A home that was placed a moment ago has the service before its control worker has made the namespace.
const namespaceLimitMs = 30_000;

/** Start a run, or attach to one that runs with the same spec; RUN_BUSY names one with another, RUN_STUCK one that stands still. */
export async function startRun(client: Client, type: RunType, spec: ClusterSpec): Promise<StartedRun> {
  const workflowId = clusterWorkflowId(spec.name);
  try {
    const handle = await onceNamespaceIsThere(() =>
      client.workflow.start(type, {
        workflowId,
        taskQueue: controlQueue,
        args: [spec],
        workflowIdConflictPolicy: 'FAIL',
        staticSummary: `${spec.name} · ${spec.nodes.length} nodes · ${modelTitle(spec)}`.slice(0, 200),
      }),
    );
    return {
      handle: client.workflow.getHandle(workflowId, handle.firstExecutionRunId),
      isNew: true,
      keptBy: null,
    };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
  }
  const handle = client.workflow.getHandle(workflowId);
  const { description, spec: running } = await describeRunning(client, handle, type);
  if (running === null || canonicalJson(running) !== canonicalJson(spec)) {
    throw fail('RUN_BUSY', {
      workflow: workflowId,
      run: description.runId,
      since: description.startTime.toISOString(),
    });
  }
  return {
    handle: client.workflow.getHandle(workflowId, description.runId),
    isNew: false,
    keptBy: keptBy(description),
  };
}

/** The run under an id, and its spec; null where it is of another type or does not say. */
async function describeRunning(client: Client, handle: WorkflowHandle, type: RunType) {
  for (;;) {
    const description = await handle.describe();
    if (description.type !== type) return { description, spec: null };
    const { answer: spec, stuck } = await askRun<ClusterSpec>(client, description, 'spec').catch(
      () => silent,
    );
    // One that an older windlass started lacks what its fields are since, and means their defaults.
    if (!stuck) return { description, spec: ClusterSpec.safeParse(spec).data ?? spec };
    // A control worker that was placed just now had not yet given the run to the version that keeps it.
    if (keptBy(await handle.describe()) !== keptBy(description)) continue;
    throw runStuck(client, handle.workflowId, stuck);
  }
}
const silent = { answer: null, stuck: null };

const runStuck = ({ options: { namespace } }: Client, workflow: string, { reason }: Stuck): WindlassError =>
  fail('RUN_STUCK', { workflow, namespace, reason });

async function onceNamespaceIsThere<T>(call: () => Promise<T>): Promise<T> {
  const end = Date.now() + namespaceLimitMs;
  for (;;) {
    try {
      return await call();
    } catch (error) {
      if (!(error instanceof NamespaceNotFoundError) || Date.now() > end) throw error;
      await sleep(200);
    }
  }
}

export interface FollowOptions {
  readonly onBoard: (board: Board, activities: readonly LiveActivity[]) => void;
  /** Whether `onBoard` wants to know what the activities say of themselves; it costs the service a look at each. */
  readonly wantsActivities: boolean;
  readonly onOutage: (away: boolean) => void;
  readonly signal: AbortSignal;
}

// A run that finds nothing to do ends within a second or two: the first look should see it at work.
const firstLookMs = 300;
const lookEveryMs = 700;

/** Follow a run to its end and return its result; throws the run's failure as our error. Aborting only detaches. */
export async function followRun<T>(
  client: Client,
  handle: WorkflowHandle,
  options: FollowOptions,
): Promise<T> {
  const left = new AbortController();
  const signal = AbortSignal.any([options.signal, left.signal]);
  // The service itself says when the run has ended; looks are for people.
  // A call that is left open would be tried again by the client's own timer, on a connection that is closed by then.
  const ending = whileUnreachable(
    () => abortable(client, signal, () => handle.result() as Promise<T>),
    options.onOutage,
    signal,
  );
  const ended = ending.then(
    () => undefined,
    () => undefined,
  );
  try {
    await Promise.race([ended, showBoards(client, handle, options, signal), aborted(signal)]);
  } finally {
    left.abort();
  }
  // What happened since the last look.
  await showBoard(client, handle, options);
  try {
    return await ending;
  } catch (error) {
    throw runError(error);
  }
}

async function showBoards(
  client: Client,
  handle: WorkflowHandle,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<never> {
  for (let pauseMs = firstLookMs; ; pauseMs = lookEveryMs) {
    await sleep(pauseMs, undefined, { signal });
    const look = () =>
      showBoard(client, handle, {
        ...options,
        onBoard: (board, activities) => {
          // An answer that comes after the end is older than what was shown last.
          if (!signal.aborted) options.onBoard(board, activities);
        },
      });
    await abortable(client, signal, look);
  }
}

/**
 * Calls that end with `signal`. They get a signal of their own: the client (1.24) leaves a listener on the one it is
 * given for every request, and a run is followed for hours.
 */
async function abortable<T>(client: Client, signal: AbortSignal, calls: () => Promise<T>): Promise<T> {
  const own = new AbortController();
  setMaxListeners(0, own.signal);
  const stop = (): void => {
    own.abort(signal.reason);
  };
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await client.withAbortSignal(own.signal, calls);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

async function showBoard(
  client: Client,
  handle: WorkflowHandle,
  { onBoard, wantsActivities }: FollowOptions,
): Promise<void> {
  const board = await handle.query<Board>('status').catch(() => null);
  if (board) onBoard(board, wantsActivities ? await liveActivities(client, board).catch(() => []) : []);
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const stop = (): void => {
      reject(signal.reason as Error);
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

/** What runs on the nodes now, with the newest heartbeat of each. Activities of children belong to the table too. */
async function liveActivities(client: Client, board: Board): Promise<LiveActivity[]> {
  const running = board.rows.filter((row) => row.endedAt === undefined);
  if (running.length === 0) return [];
  const preparing = ['provision venv', 'install wheels', 'verify torch arch', 'stage model'];
  const isPreparing = running.some((row) => preparing.includes(row.step));
  const ids = [clusterWorkflowId(board.cluster), ...(isPreparing ? await childIds(client, board) : [])];
  const found = await Promise.all(ids.map((id) => pendingOf(client, id).catch(() => [])));
  return found.flat();
}

async function childIds(client: Client, board: Board): Promise<string[]> {
  const description = await client.workflow.getHandle(clusterWorkflowId(board.cluster)).describe();
  const prefix = prepareWorkflowId(board.run, '');
  return (description.raw.pendingChildren ?? [])
    .map((child) => child.workflowId ?? '')
    .filter((id) => id.startsWith(prefix));
}

async function pendingOf(client: Client, workflowId: string): Promise<LiveActivity[]> {
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  return (raw.pendingActivities ?? []).flatMap((pending) => {
    const named = readActivityId(pending.activityId ?? '');
    const progress = readProgress(pending.heartbeatDetails?.payloads?.[0]?.data);
    return named === null || progress === null ? [] : [{ ...named, attempt: pending.attempt ?? 1, progress }];
  });
}

/**
 * Ask a run to stop, and wait until it has; nothing running is no error. Returns whether there was one. Throws RUN_STUCK
 * for one that stands still, as it would never hear of it.
 */
export async function cancelRun(
  client: Client,
  workflowId: string,
  onOutage: (away: boolean) => void,
): Promise<boolean> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const description = await whileUnreachable(() => handle.describe(), onOutage);
    if (description.status.name !== 'RUNNING') return false;
    const stuck = await whileUnreachable(() => stuckOf(client, description), onOutage);
    if (stuck) throw runStuck(client, workflowId, stuck);
    const run = client.workflow.getHandle(workflowId, description.runId);
    await run.cancel();
    await whileUnreachable(() => run.result(), onOutage).catch((error: unknown) => {
      if (!(error instanceof WorkflowFailedError)) throw error;
    });
    return true;
  } catch (error) {
    if (isNoSuchRun(error)) return false;
    throw error;
  }
}

/** Does this error say that there never was such a run? A home that was just placed has not even a namespace. */
export function isNoSuchRun(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || error instanceof NamespaceNotFoundError;
}

/** The failure of a run as our error, with code, node and step. */
export function runError(error: unknown): unknown {
  if (!(error instanceof WorkflowFailedError)) return error;
  for (let each: unknown = error.cause; each instanceof Error; each = each.cause) {
    if (each instanceof CancelledFailure || each instanceof TerminatedFailure) return fail('RUN_CANCELLED');
    if (each instanceof ApplicationFailure) return ofFailure(each);
    if (each instanceof TimeoutFailure && !each.cause) return fail('INTERNAL', { message: each.message });
  }
  return error;
}

function ofFailure(failure: ApplicationFailure): Error {
  const details = (failure.details ?? []) as (ErrorDetails | undefined)[];
  const errors = details.flatMap((each) => (each && isErrorCode(each.code) ? [ofDetails(each)] : []));
  if (errors.length > 1) return new Problems(errors);
  return (
    errors[0] ?? fail(isErrorCode(failure.type) ? failure.type : 'INTERNAL', { message: failure.message })
  );
}

function ofDetails({ code, data, node, step }: ErrorDetails): WindlassError {
  const error = new WindlassError(code, data);
  if (node !== undefined) error.node = node;
  if (step !== undefined) error.step = step;
  return error;
}
