/** The smallest workflow there is: activities that do nothing, one after the other on each queue, all queues at once. */
import { proxyActivities } from '@temporalio/workflow';

export interface NothingInput {
  readonly queues: readonly string[];
  readonly activities: number;
}

export async function doNothing({ queues, activities }: NothingInput): Promise<void> {
  await Promise.all(
    queues.map(async (taskQueue) => {
      const { nothing } = proxyActivities<{ nothing(): Promise<void> }>({
        taskQueue,
        startToCloseTimeout: '1 minute',
      });
      for (let at = 0; at < activities; at += 1) await nothing();
    }),
  );
}
