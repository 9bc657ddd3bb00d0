/** Reads an output stream into memory with a bound, for commands that run here and for those that run over ssh. */
import type { Readable } from 'node:stream';

export interface Collected {
  /** Bytes seen so far, the dropped ones included. */
  readonly bytes: number;
  /** What was kept, as UTF-8. */
  text(): string;
}

/** Keep the first `maxBytes` of a stream; `onOverflow` is called once, when there is more. The stream is drained. */
export function collectOutput(stream: Readable, maxBytes: number, onOverflow: () => void): Collected {
  const chunks: Buffer[] = [];
  let bytes = 0;
  let hasOverflowed = false;
  stream.on('data', (chunk: Buffer) => {
    const room = maxBytes - bytes;
    if (room > 0) chunks.push(room < chunk.length ? chunk.subarray(0, room) : chunk);
    bytes += chunk.length;
    if (bytes > maxBytes && !hasOverflowed) {
      hasOverflowed = true;
      onOverflow();
    }
  });
  // A stream that breaks off has said all it will say; how the command ended is told elsewhere.
  stream.on('error', () => undefined);
  return {
    get bytes() {
      return bytes;
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
