/** The namespace of our runs: made when missing, with a retention that keeps yesterday's failure readable. */
import type { ConnectionLike } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

/** gRPC status codes. */
const alreadyExists: number = 6;
const unavailable: number = 14;

/** Make the namespace with 30 days of retention, waiting for a service that is still starting. Returns whether it is new. */
export async function ensureNamespace(connection: ConnectionLike, namespace: string): Promise<boolean> {
  for (;;) {
    try {
      await connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: msToTs('30 days'),
      });
      return true;
    } catch (error) {
      if (isGrpcServiceError(error) && (error.code as number) === alreadyExists) return false;
      if (!isGrpcServiceError(error) || (error.code as number) !== unavailable) throw error;
      await new Promise((resolve) => setTimeout(resolve, 300));
    }
  }
}
