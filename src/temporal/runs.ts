/** Start, attach to and cancel the runs of a cluster. The run lives at the home; this is only a window to it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';
import { canonicalJson } from '../cluster/hash.ts';
import { clusterWorkflowId, controlQueue } from '../cluster/names.ts';
import { modelTitle } from '../cluster/models.ts';
import { ClusterSpec } from '../config/schema.ts';
import { asError, fail } from '../errors.ts';
import { askRun, runStuck } from './ask-run.ts';
import { whileUnreachable } from './connection.ts';
import { isUnreachable } from './grpc-code.ts';
import { keptBy } from './kept.ts';
import { isNoSuchRun } from './no-such-run.ts';
import { runError } from './run-error.ts';

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
      (error: unknown) => {
        if (isUnreachable(error)) throw error;
        return silent;
      },
    );
    // One that an older windlass started lacks what its fields are since, and means their defaults.
    if (!stuck) return { description, spec: ClusterSpec.safeParse(spec).data ?? spec };
    // A control worker that was placed just now had not yet given the run to the version that keeps it.
    if (keptBy(await handle.describe()) !== keptBy(description)) continue;
    throw runStuck(client, handle.workflowId, stuck);
  }
}
const silent = { answer: null, stuck: null };

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

/** How a run ended that was asked to stop. */
export interface EndedRun {
  readonly type: string;
  /** Why it did not end well: RUN_CANCELLED, or what it met beside that; null where it had come to its end before. */
  readonly failure: Error | null;
}

/**
 * Ask a run to stop, and wait until it has; nothing running is no error, and null. Throws RUN_STUCK for one that stands
 * still, as it would never hear of it.
 */
export async function cancelRun(
  client: Client,
  workflowId: string,
  onOutage: (away: boolean) => void,
): Promise<EndedRun | null> {
  const handle = client.workflow.getHandle(workflowId);
  try {
    const description = await whileUnreachable(() => handle.describe(), onOutage);
    if (description.status.name !== 'RUNNING') return null;
    const { stuck } = await whileUnreachable(() => askRun(client, description, 'status'), onOutage);
    if (stuck) throw runStuck(client, workflowId, stuck);
    const run = client.workflow.getHandle(workflowId, description.runId);
    await run.cancel();
    const failure = await whileUnreachable(() => run.result(), onOutage).then(
      () => null,
      (error: unknown) => {
        if (!(error instanceof WorkflowFailedError)) throw error;
        return asError(runError(error));
      },
    );
    return { type: description.type, failure };
  } catch (error) {
    if (isNoSuchRun(error)) return null;
    throw error;
  }
}
