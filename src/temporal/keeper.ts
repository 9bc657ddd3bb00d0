/** What the keeper of a cluster says of itself. */
import type { Client } from '@temporalio/client';
import type { KeeperStatus } from '../cluster/keeper.ts';
import { keeperWorkflowId } from '../cluster/names.ts';
import { isNoSuchRun } from './runs.ts';

/** Null where no keeper runs. */
export async function askKeeper(client: Client, cluster: string): Promise<KeeperStatus | null> {
  const handle = client.workflow.getHandle(keeperWorkflowId(cluster));
  try {
    const { status } = await handle.describe();
    return status.name === 'RUNNING' ? await handle.query<KeeperStatus>('status') : null;
  } catch (error) {
    if (isNoSuchRun(error)) return null;
    throw error;
  }
}
