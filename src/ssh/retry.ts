/**
 * Connecting to a node that may still be booting. The one place where a connection is tried again: only what time
 * alone can mend is, and never longer than was said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, WindlassError, fail } from '../errors.ts';
import type { SshTarget } from './config.ts';
import { CONNECT_TIMEOUT_MS, type ConnectOptions, type SshConnection, connect } from './connection.ts';

export interface RetryOptions extends ConnectOptions {
  /** No attempt starts or goes on after this many milliseconds. */
  readonly deadlineMs: number;
  /** The node is being provisioned: its user's keys may not be there yet, so a refused login is tried again too. */
  readonly isProvisioning?: boolean;
  readonly signal?: AbortSignal;
  /** Called before each pause, with what went wrong and how long the pause is. */
  readonly onRetry?: (error: WindlassError, pauseMs: number) => void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5_000;
// An attempt shorter than this says nothing about the node.
const SHORTEST_ATTEMPT_MS = 500;

// A host that has changed its key, or that is not an ssh server, does not become right by asking again.
const MENDED_BY_TIME: ReadonlySet<ErrorCode> = new Set([
  'SSH_REFUSED',
  'SSH_TIMEOUT',
  'SSH_UNREACHABLE',
  'SSH_DNS',
  'SSH_LOST',
]);

/** Connect, trying again until the deadline. Throws the last error, with the number of attempts and the seconds in its data. */
export async function connectWithRetry(target: SshTarget, options: RetryOptions): Promise<SshConnection> {
  const { deadlineMs, timeoutMs = CONNECT_TIMEOUT_MS, signal } = options;
  const started = performance.now();
  const left = (): number => deadlineMs - (performance.now() - started);
  let pauseMs = FIRST_PAUSE_MS;
  for (let attempts = 1; ; attempts++) {
    signal?.throwIfAborted();
    try {
      return await connect(target, { ...options, timeoutMs: Math.max(1, Math.min(timeoutMs, left())) });
    } catch (error) {
      if (!(error instanceof WindlassError) || !isMendedByTime(error, options)) throw error;
      if (left() < pauseMs + SHORTEST_ATTEMPT_MS) {
        throw fail(
          error.code,
          { ...error.data, attempts, seconds: Math.round((deadlineMs - left()) / 1000) },
          error,
        );
      }
      options.onRetry?.(error, pauseMs);
    }
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal });
    pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS);
  }
}

const isMendedByTime = (error: WindlassError, { isProvisioning = false }: RetryOptions): boolean =>
  MENDED_BY_TIME.has(error.code) || (isProvisioning && error.code === 'SSH_AUTH');
