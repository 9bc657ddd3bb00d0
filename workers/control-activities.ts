/** Activities of the control worker: it asks the Temporal service about runs, and never touches a node. */
import { heartbeat, sleep } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { WorkflowNotFoundError } from '@temporalio/client';
import { ClusterSpec } from '../src/config/schema.ts';

export interface RunDescription {
  readonly type: string;
  readonly run: string;
  readonly since: string;
  readonly spec: ClusterSpec | null;
}

export function createControlActivities(client: Client) {
  return {
    /** What runs under an id, and with which spec. */
    async describeRun({ workflowId }: { workflowId: string }): Promise<RunDescription> {
      const description = await client.workflow.getHandle(workflowId).describe();
      // Of this run: another may have begun under the id meanwhile.
      const handle = client.workflow.getHandle(workflowId, description.runId);
      const spec = await handle.query<unknown>('spec').catch(() => null);
      const parsed = ClusterSpec.safeParse(spec);
      return {
        type: description.type,
        run: description.runId,
        since: description.startTime.toISOString(),
        spec: parsed.success ? parsed.data : null,
      };
    },

    /** Wait for the result of a run; null when it did not end well. */
    async awaitRun({ workflowId, run }: { workflowId: string; run: string }): Promise<unknown> {
      const handle = client.workflow.getHandle(workflowId, run);
      for (;;) {
        const { status } = await handle.describe().catch((error: unknown) => {
          if (error instanceof WorkflowNotFoundError) return { status: { name: 'TERMINATED' } };
          throw error;
        });
        if (status.name === 'COMPLETED') return handle.result();
        if (status.name !== 'RUNNING') return null;
        heartbeat();
        await sleep(1_000);
      }
    },
  };
}

export type ControlActivities = ReturnType<typeof createControlActivities>;
