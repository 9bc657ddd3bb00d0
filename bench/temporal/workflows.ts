/** The smallest workflows there are: one whose activities do nothing, and one whose activity never ends. */
import { proxyActivities } from '@temporalio/workflow';

export interface NothingInput {
  readonly queues: readonly string[];
  readonly activities: number;
}

/** Activities one after the other on each queue, all queues at once. */
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

/** One activity that beats and never ends, with everything but its heartbeat time-out as the SDK has it. */
export async function waitForLong({
  taskQueue,
  heartbeatTimeoutMs,
}: {
  readonly taskQueue: string;
  readonly heartbeatTimeoutMs: number;
}): Promise<void> {
  const { waitLong } = proxyActivities<{ waitLong(): Promise<void> }>({
    taskQueue,
    startToCloseTimeout: '1 hour',
    heartbeatTimeout: heartbeatTimeoutMs,
  });
  await waitLong();
}
