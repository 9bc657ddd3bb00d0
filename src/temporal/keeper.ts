/** What the keeper of a cluster says of itself. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { readProgress } from '../cluster/act-progress.ts';
import type { KeeperState, KeeperStatus } from '../cluster/keeper.ts';
import { keeperWorkflowId } from '../cluster/names.ts';
import type { Stuck } from './ask-run.ts';
import { askRun } from './ask-run.ts';
import { keptBy } from './kept.ts';
import { isNoSuchRun } from './no-such-run.ts';

export interface AskedKeeper extends Omit<KeeperStatus, 'state'> {
  /** A keeper that is stuck watches nothing, and cannot say of itself what it did last. */
  readonly state: KeeperState | 'stuck';
  /** When the server last answered the keeper, as far as is known; milliseconds since 1970. */
  readonly answeredAt: number | null;
  /** The version of windlass that it goes on with; null where that is the one placed. */
  readonly keptBy: string | null;
  readonly stuck: Stuck | null;
}

/** Null where no keeper runs. */
export async function askKeeper(client: Client, cluster: string): Promise<AskedKeeper | null> {
  const handle = client.workflow.getHandle(keeperWorkflowId(cluster));
  try {
    const description = await handle.describe();
    if (description.status.name !== 'RUNNING') return null;
    const { answer, stuck } = await askRun<KeeperStatus>(client, description, 'status');
    const silent = {
      cluster,
      state: 'stuck',
      since: stuck?.since ?? description.startTime.getTime(),
      last: null,
      waitingFor: null,
    } as const;
    return {
      ...(answer ?? silent),
      answeredAt: answeredAtOf(description),
      keptBy: keptBy(description),
      stuck,
    };
  } catch (error) {
    if (isNoSuchRun(error)) return null;
    throw error;
  }
}

/** The watch of the server says it with each of its heartbeats. */
function answeredAtOf({ raw }: WorkflowExecutionDescription): number | null {
  const watch = raw.pendingActivities?.findLast((pending) => pending.activityType?.name === 'watchServer');
  return readProgress(watch?.heartbeatDetails?.payloads?.[0]?.data)?.answeredAt ?? null;
}
