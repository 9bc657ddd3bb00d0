/**
 * Connections to the Temporal service. During an outage every client call fails after 20 s although the run lives, so
 * whoever waits goes through `whileUnreachable`; reconnecting starts quickly, since grpc's own back-off grows to minutes.
 */
import { Client } from '@temporalio/client';
import { fail } from '../errors.ts';
import { openConnection } from './closable.ts';
import { isUnreachable } from './grpc-code.ts';

const channelArgs = {
  'grpc.initial_reconnect_backoff_ms': 500,
  'grpc.max_reconnect_backoff_ms': 2_000,
};

export interface TemporalPlace {
  readonly address: string;
  readonly namespace: string;
}

export interface HomeConnection {
  readonly client: Client;
  readonly close: () => Promise<void>;
}

/** Connect a client; throws TEMPORAL_UNREACHABLE when nothing answers within the limit. */
export async function connectClient(
  { address, namespace }: TemporalPlace,
  limitMs: number,
): Promise<HomeConnection> {
  const { connection, close } = openConnection({ address, channelArgs, connectTimeout: limitMs });
  try {
    await connection.ensureConnected();
    return { client: new Client({ connection, namespace }), close };
  } catch (error) {
    await close();
    throw fail('TEMPORAL_UNREACHABLE', { address, reason: reasonOf(error) }, error);
  }
}

/**
 * Repeat a call for as long as the service is away; `onOutage` is told once per outage, and once when it is over.
 * After `signal` has aborted, nothing is repeated.
 */
export async function whileUnreachable<T>(
  call: () => Promise<T>,
  onOutage: (away: boolean) => void,
  signal?: AbortSignal,
): Promise<T> {
  let away = false;
  for (;;) {
    try {
      const result = await call();
      if (away) onOutage(false);
      return result;
    } catch (error) {
      if (!isUnreachable(error) || signal?.aborted === true) throw error;
      if (!away) onOutage(true);
      away = true;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
}

function reasonOf(error: unknown): string {
  let message = String(error);
  for (let each: unknown = error; each instanceof Error; each = each.cause) message = each.message;
  return message.slice(0, 200);
}
