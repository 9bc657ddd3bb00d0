/**
 * Connecting to a node that may still be booting. The one place where a connection is tried again: only what time
 * alone can mend is, and never longer than was said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { WindlassError, fail } from '../errors.ts';
import type { SshTarget } from './config.ts';
import { CONNECT_TIMEOUT_MS, type ConnectOptions, type SshConnection, connect } from './connection.ts';

interface RetryOptions extends ConnectOptions {
  /** No attempt starts or goes on after this many milliseconds. */
  readonly deadlineMs: number;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
// An attempt shorter than this says nothing about the node.
const SHORTEST_ATTEMPT_MS = 500;

/** Connect, trying again until the deadline. Throws the last error, with the number of attempts and the seconds in its data. */
export async function connectWithRetry(target: SshTarget, options: RetryOptions): Promise<SshConnection> {
  const { deadlineMs, timeoutMs = CONNECT_TIMEOUT_MS } = options;
  const started = performance.now();
  const left = (): number => deadlineMs - (performance.now() - started);
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempts = 1; ; attempts++) {
    try {
      return await connect(target, { ...options, timeoutMs: Math.max(1, Math.min(timeoutMs, left())) });
    } catch (error) {
      // A host that has changed its key, that refuses the login or is no ssh server does not become right by asking again.
      if (!(error instanceof WindlassError) || !error.retryable) throw error;
      if (left() < pauseMs + SHORTEST_ATTEMPT_MS) {
        throw fail(
          error.code,
          { ...error.data, attempts, seconds: Math.round((deadlineMs - left()) / 1000) },
          error,
        );
      }
    }
    await sleep(pauseMs);
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}
