// What a test may see of and do to the traffic of a stand-in server: a log of requests, a byte rate, failures,
// and a hold that stops a body in its middle and says when it has, so that a test acts on an observed event.

import { open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { deferred } from './deferred.ts';

/** One answered request. `bytes` is what was sent of the body so far. */
export interface RequestRecord {
  readonly method: string;
  readonly url: string;
  readonly range: string | undefined;
  /** 0 until an answer was begun. */
  readonly status: number;
  bytes: number;
}

/** A hold that was set: `reached` resolves with the URL of the body that now waits, `release` lets it go on. */
export interface Hold {
  readonly reached: Promise<string>;
  readonly release: () => void;
}

interface PendingHold {
  readonly pattern: RegExp;
  readonly afterBytes: number | undefined;
  readonly reach: (url: string) => void;
  readonly released: Promise<true>;
  readonly release: () => void;
}

/** A file to send; `available` tells how much of it is there when it is still being written. */
export interface FileBody {
  readonly path: string;
  readonly size: number;
  readonly available?: (beyond: number) => Promise<number>;
}

/** An answer in the place of what was asked for. */
export interface Failure {
  readonly status: number;
  readonly headers?: Record<string, string>;
}

const busy: Failure = { status: 503 };

const CHUNK_BYTES = 64 * 1024;

/** Log and faults of one server. */
export class Traffic {
  /** Bytes a second for each body; undefined sends as fast as it can. */
  delayBytesPerSecond: number | undefined;
  private readonly log: RequestRecord[] = [];
  private failures: { count: number; pattern: RegExp; answer: Failure } = {
    count: 0,
    pattern: /^/,
    answer: busy,
  };
  private holds: PendingHold[] = [];
  private taken: PendingHold[] = [];

  /** All requests so far, oldest first. */
  requests(): readonly RequestRecord[] {
    return this.log;
  }

  /** Answer the next `count` requests whose URL matches so (503 unless told), in place of what was asked before. */
  failNext(count: number, pattern = /^/, answer: Failure = busy): void {
    this.failures = { count, pattern, answer };
  }

  /** Stop the next body whose URL matches after `afterBytes` (half of it when not given), until released. */
  hold(pattern: RegExp, afterBytes?: number): Hold {
    const reached = deferred<string>();
    const released = deferred<true>();
    const release = (): void => {
      released.resolve(true);
    };
    this.holds.push({ pattern, afterBytes, reach: reached.resolve, released: released.promise, release });
    return { reached: reached.promise, release };
  }

  /** Let every held body go on, and forget holds that nothing has reached and failures that nobody has met. */
  release(): void {
    this.failNext(0);
    for (const hold of [...this.holds, ...this.taken]) hold.release();
    this.holds = [];
    this.taken = [];
  }

  /** Note a request; answers it and returns undefined when a failure is due. */
  admit(request: IncomingMessage, response: ServerResponse): RequestRecord | undefined {
    const { method = 'GET', url = '/' } = request;
    const record: RequestRecord = {
      method,
      url,
      range: request.headers.range,
      bytes: 0,
      get status() {
        return response.headersSent ? response.statusCode : 0;
      },
    };
    this.log.push(record);
    if (this.failures.count === 0 || !this.failures.pattern.test(url)) return record;
    this.failures.count -= 1;
    const { status, headers } = this.failures.answer;
    response.writeHead(status, headers).end('stand-in failure');
    return undefined;
  }

  /** Send a file, honouring Range, the byte rate and holds. */
  async sendFile(
    record: RequestRecord,
    response: ServerResponse,
    body: FileBody,
    headers: Record<string, string>,
  ): Promise<void> {
    const range = parseRange(record.range, body.size);
    if (range === 'unsatisfiable') {
      response.writeHead(416, { 'Content-Range': `bytes */${body.size}` }).end();
      return;
    }
    const { start, end } = range ?? { start: 0, end: body.size };
    response.writeHead(range ? 206 : 200, {
      ...headers,
      'Accept-Ranges': 'bytes',
      'Content-Length': String(end - start),
      ...(range && { 'Content-Range': `bytes ${start}-${end - 1}/${body.size}` }),
    });
    if (record.method === 'HEAD') {
      response.end();
      return;
    }
    // A client that goes away in the middle is nothing to report: killing it is what tests are for.
    await pipeline(Readable.from(this.paced(record, body, start, end)), response).catch(() => undefined);
  }

  private async *paced(
    record: RequestRecord,
    body: FileBody,
    start: number,
    end: number,
  ): AsyncGenerator<Buffer> {
    const hold = this.holds.find(({ pattern }) => pattern.test(record.url));
    if (hold) {
      this.holds = this.holds.filter((pending) => pending !== hold);
      this.taken.push(hold);
    }
    const stopAt = hold && start + (hold.afterBytes ?? Math.floor((end - start) / 2));
    const file = await open(body.path);
    try {
      for (let at = start; at < end;) {
        if (hold && stopAt !== undefined && at >= stopAt) {
          hold.reach(record.url);
          await hold.released;
        }
        const limit = stopAt !== undefined && at < stopAt ? Math.min(stopAt, end) : end;
        const chunk = await this.readChunk(file, body, at, limit);
        at += chunk.length;
        if (this.delayBytesPerSecond) await wait((chunk.length / this.delayBytesPerSecond) * 1000);
        record.bytes += chunk.length;
        yield chunk;
      }
    } finally {
      await file.close();
    }
  }

  private async readChunk(
    file: Awaited<ReturnType<typeof open>>,
    body: FileBody,
    at: number,
    limit: number,
  ): Promise<Buffer> {
    const there = body.available ? await body.available(at) : body.size;
    const rate = this.delayBytesPerSecond ?? CHUNK_BYTES * 10;
    const length = Math.min(CHUNK_BYTES, limit - at, there - at, Math.max(1, Math.floor(rate / 10)));
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, at);
    if (bytesRead === 0) throw new Error(`${body.path} ended at ${at} of ${body.size} bytes`);
    return buffer.subarray(0, bytesRead);
  }
}

function parseRange(
  header: string | undefined,
  size: number,
): { start: number; end: number } | 'unsatisfiable' | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match) return undefined;
  const [, from = '', to = ''] = match;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size : Math.min(size, Number(to) + 1);
  return start < end ? { start, end } : 'unsatisfiable';
}
