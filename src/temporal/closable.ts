/**
 * A connection to a Temporal service that can be closed at any moment. The client's own (1.24) tries a call again by a
 * timer, also after its connection was closed, and throws there, where nobody can catch it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionOptions } from '@temporalio/client';
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';

export interface ClosableConnection {
  readonly connection: Connection;
  readonly close: () => Promise<void>;
}

/** Prepare a connection; it is made at its first call. */
export function openConnection(options: ConnectionOptions): ClosableConnection {
  const { delayFunction, retryableDecider } = defaultGrpcRetryOptions({ maxAttempts: 40 });
  let isClosing = false;
  let lastTryAt = 0;
  const retry = makeGrpcRetryInterceptor({
    delayFunction: (attempt, status) => {
      const delayMs = Math.min(delayFunction(attempt, status), 500);
      lastTryAt = Math.max(lastTryAt, performance.now() + delayMs + 10);
      return delayMs;
    },
    retryableDecider: (attempt, status) => !isClosing && retryableDecider(attempt, status),
  });
  const connection = Connection.lazy({ ...options, interceptors: [retry] });
  return {
    connection,
    close: async () => {
      isClosing = true;
      // What is to be tried again is begun before the connection is closed, and ends with it.
      while (performance.now() <= lastTryAt) await sleep(50);
      await connection.close();
    },
  };
}
