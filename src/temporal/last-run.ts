/** What the home knows of the last run of a cluster. */
import type { Client } from '@temporalio/client';
import type { Board } from '../cluster/board.ts';
import { clusterWorkflowId } from '../cluster/names.ts';
import type { BringUpReport } from '../cluster/report.ts';
import type { Stuck } from './ask-run.ts';
import { askRun } from './ask-run.ts';
import { isUnreachable } from './grpc-code.ts';
import { keptBy } from './kept.ts';
import { runError } from './run-error.ts';
import { isNoSuchRun } from './no-such-run.ts';

export interface LastRun {
  readonly type: string;
  readonly status: string;
  readonly run: string;
  readonly startedAt: number;
  readonly closedAt: number | null;
  readonly board: Board | null;
  readonly report: BringUpReport | null;
  /** Why it did not end well. */
  readonly failure: Error | null;
  /** The version of windlass that it goes on with; null where that is the one placed. */
  readonly keptBy: string | null;
  /** Why it stands still although the service calls it running: nobody who could go on with it is there. */
  readonly stuck: Stuck | null;
}

/** Null where there never was a run. */
export async function readLastRun(client: Client, cluster: string): Promise<LastRun | null> {
  const workflowId = clusterWorkflowId(cluster);
  try {
    const description = await client.workflow.getHandle(workflowId).describe();
    const isRunning = description.status.name === 'RUNNING';
    const asked = isRunning ? await askRun<Board>(client, description, 'status').catch(nullUnlessAway) : null;
    const ended = isRunning ? notEnded : await endOf(client, workflowId, description.runId);
    return {
      type: description.type,
      status: description.status.name,
      run: description.runId,
      startedAt: description.startTime.getTime(),
      closedAt: description.closeTime?.getTime() ?? null,
      board: asked?.answer ?? null,
      report: description.type === 'bringUpCluster' ? (ended.result as BringUpReport | null) : null,
      failure: ended.failure instanceof Error ? ended.failure : null,
      keptBy: isRunning ? keptBy(description) : null,
      stuck: asked?.stuck ?? null,
    };
  } catch (error) {
    if (isNoSuchRun(error)) return null;
    throw error;
  }
}

interface Ended {
  readonly result: unknown;
  readonly failure: unknown;
}
const notEnded: Ended = { result: null, failure: null };

/** By its own run id: under the workflow's, the keeper may have started another meanwhile. */
function endOf(client: Client, workflowId: string, runId: string): Promise<Ended> {
  return client.workflow
    .getHandle(workflowId, runId)
    .result()
    .then(
      (result: unknown) => ({ result, failure: null }),
      (error: unknown) => {
        nullUnlessAway(error);
        return { result: null, failure: runError(error) };
      },
    );
}

/** A service that is away says nothing about the run. */
function nullUnlessAway(error: unknown): null {
  if (isUnreachable(error)) throw error;
  return null;
}
