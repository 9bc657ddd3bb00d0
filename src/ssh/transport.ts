/**
 * The line under an ssh connection: a TCP socket, or a tunnel through a jump host. It remembers the first bytes that
 * the other side said, and notices when the line has gone silent.
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Transport {
  readonly stream: Duplex;
  /** The first bytes of the other side, to tell what it is when it is not an ssh server. */
  firstBytes(): Buffer;
}

const FIRST_BYTES = 256;
// Node's 250 ms per address is too short for a far host that has an IPv6 and an IPv4 address.
const NEXT_ADDRESS_AFTER_MS = 2_000;

/** Start connecting; failures arrive as `error` events of the stream. */
export function openTcp(host: string, port: number): Transport {
  const socket = new Socket();
  const firstBytes = rememberFirst(socket);
  socket.setNoDelay(true);
  socket.connect({
    host,
    port,
    autoSelectFamily: true,
    autoSelectFamilyAttemptTimeout: NEXT_ADDRESS_AFTER_MS,
  });
  return { stream: socket, firstBytes };
}

/** Take an open stream, such as a tunnel through another connection, as the line. */
export function overStream(stream: Duplex): Transport {
  return { stream, firstBytes: rememberFirst(stream) };
}

function rememberFirst(stream: Duplex): () => Buffer {
  let first = Buffer.alloc(0);
  // Paused, so that listening here does not start the flow before ssh2 listens too.
  stream.pause();
  stream.on('data', (chunk: Buffer) => {
    if (first.length < FIRST_BYTES)
      first = Buffer.concat([first, chunk.subarray(0, FIRST_BYTES - first.length)]);
  });
  return () => first;
}

/** Wait until the line has taken what was written, so that nobody's bytes queue behind megabytes of an upload. */
export function drained(stream: Duplex): Promise<void> {
  if (!stream.writableNeedDrain || stream.destroyed) return Promise.resolve();
  return new Promise((resolve) => {
    const done = (): void => {
      stream.off('drain', done).off('close', done);
      resolve();
    };
    stream.on('drain', done).on('close', done);
  });
}

/** How often the other side is asked for a sign of life. */
export const KEEPALIVE_MS = 5_000;
// Three questions without an answer.
const SILENT_TICKS = 4;

/**
 * Call `onSilent` once when for 15 to 20 s nothing came in and nothing waiting went out. ssh2's own keepalive counts
 * answers only, which on a slow line stand behind an upload for longer than that. Ticks and not the clock are
 * counted, because a laptop that slept has not listened.
 */
export function watchSilence(stream: Duplex, onSilent: () => void): () => void {
  let hasHeard = false;
  let flushed = 0;
  let wasWaiting = false;
  let silentTicks = 0;
  stream.on('data', () => {
    hasHeard = true;
  });
  const timer = setInterval(() => {
    const nowFlushed = stream instanceof Socket ? stream.bytesWritten - stream.writableLength : 0;
    const isMoving = wasWaiting && nowFlushed > flushed;
    silentTicks = hasHeard || isMoving ? 0 : silentTicks + 1;
    hasHeard = false;
    flushed = nowFlushed;
    wasWaiting = stream.writableLength > 0;
    if (silentTicks === SILENT_TICKS) onSilent();
  }, KEEPALIVE_MS);
  return () => {
    clearInterval(timer);
  };
}
