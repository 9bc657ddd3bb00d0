/** Follow a run to its end, from outside: what it shows of itself meanwhile, and that somebody goes on with it. */
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { readProgress } from '../cluster/act-progress.ts';
import type { Board } from '../cluster/board.ts';
import { clusterWorkflowId, prepareWorkflowId, readActivityId } from '../cluster/names.ts';
import type { LiveActivity } from '../output/live-board.ts';
import { askRun, runStuck } from './ask-run.ts';
import { whileUnreachable } from './connection.ts';
import { isUnreachable } from './grpc-code.ts';
import { runError } from './run-error.ts';

export interface FollowOptions {
  readonly onBoard: (board: Board, activities: readonly LiveActivity[]) => void;
  /** Whether `onBoard` wants to know what the activities say of themselves; it costs the service a look at each. */
  readonly wantsActivities: boolean;
  readonly onOutage: (away: boolean) => void;
  readonly signal: AbortSignal;
  /** How long nobody may answer for the run while the service is there. */
  readonly silenceLimitMs?: number;
}

// A run that finds nothing to do ends within a second or two: the first look should see it at work.
const firstLookMs = 300;
const lookEveryMs = 700;

/**
 * Follow a run to its end and return its result; throws the run's failure as our error, and RUN_STUCK for one that
 * stands still. Aborting only detaches.
 */
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

/** A control worker that dies is back within seconds. Where none answers for so long, somebody has to see why. */
const silenceLimitMs = 60_000;
const lookLimitMs = 5_000;

/** Throws RUN_STUCK when the service has been there for long, and nobody who could go on with the run. */
async function showBoards(
  client: Client,
  handle: WorkflowHandle,
  options: FollowOptions,
  signal: AbortSignal,
): Promise<never> {
  const { silenceLimitMs: limitMs = silenceLimitMs } = options;
  let silentSince: number | null = null;
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
    const isSilent = await abortable(client, signal, look);
    silentSince = isSilent ? (silentSince ?? Date.now()) : null;
    if (silentSince !== null && Date.now() - silentSince > limitMs) {
      await demandWorker(client, handle).catch((error: unknown) => {
        // That the service is away is told by whoever waits for the end.
        if (!isUnreachable(error)) throw error;
      });
      silentSince = null;
    }
  }
}

async function demandWorker(client: Client, handle: WorkflowHandle): Promise<void> {
  const description = await handle.describe();
  if (description.status.name !== 'RUNNING') return;
  const { stuck } = await askRun(client, description, 'status', lookLimitMs);
  if (stuck) throw runStuck(client, handle.workflowId, stuck);
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

/** Returns whether nobody answered although the service is there. */
async function showBoard(
  client: Client,
  handle: WorkflowHandle,
  { onBoard, wantsActivities }: FollowOptions,
): Promise<boolean> {
  const ask = () => handle.query<Board>('status');
  const board = await client.withDeadline(Date.now() + lookLimitMs, ask).catch(() => null);
  if (!board)
    return handle.describe().then(
      () => true,
      () => false,
    );
  onBoard(board, wantsActivities ? await liveActivities(client, board).catch(() => []) : []);
  return false;
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
