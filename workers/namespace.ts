/** The namespace of our runs: made when missing, with a retention that keeps yesterday's failure readable. */
import type { ConnectionLike } from '@temporalio/client';
import { isGrpcServiceError } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';

/** gRPC status codes. */
const notFound: number = 5;
const alreadyExists: number = 6;
const unavailable: number = 14;

/**
 * Make the namespace with 30 days of retention, waiting for a service that is away until `signal` comes. Returns whether
 * it is new.
 */
export async function ensureNamespace(
  connection: ConnectionLike,
  namespace: string,
  signal?: AbortSignal,
): Promise<boolean> {
  for (;;) {
    try {
      await connection.workflowService.registerNamespace({
        namespace,
        workflowExecutionRetentionPeriod: msToTs('30 days'),
      });
      return true;
    } catch (error) {
      if (hasCode(error, alreadyExists)) return false;
      if (!hasCode(error, unavailable) || signal?.aborted === true) throw error;
      await pause();
    }
  }
}

/** Wait until the control worker has made the namespace, which a service that has lost its store does not have. */
export async function namespaceIsThere(connection: ConnectionLike, namespace: string): Promise<void> {
  for (let told = false; ; told = true) {
    try {
      await connection.workflowService.describeNamespace({ namespace });
      return;
    } catch (error) {
      if (!hasCode(error, notFound) && !hasCode(error, unavailable)) throw error;
      if (!told) process.stderr.write(`no namespace ${namespace} yet: ${String(error)}\n`);
      await pause();
    }
  }
}

const hasCode = (error: unknown, code: number): boolean =>
  isGrpcServiceError(error) && (error.code as number) === code;

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 300));
