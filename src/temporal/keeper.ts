/** What the keeper of a cluster says of itself. */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { readProgress } from '../cluster/act-progress.ts';
import type { KeeperStatus } from '../cluster/keeper.ts';
import { keeperWorkflowId } from '../cluster/names.ts';
import { isNoSuchRun } from './runs.ts';

export interface AskedKeeper extends KeeperStatus {
  /** When the server last answered the keeper, as far as is known; milliseconds since 1970. */
  readonly answeredAt: number | null;
}

/** Null where no keeper runs. */
export async function askKeeper(client: Client, cluster: string): Promise<AskedKeeper | null> {
  const handle = client.workflow.getHandle(keeperWorkflowId(cluster));
  try {
    const description = await handle.describe();
    if (description.status.name !== 'RUNNING') return null;
    const status = await handle.query<KeeperStatus>('status');
    return { ...status, answeredAt: answeredAtOf(description) };
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
