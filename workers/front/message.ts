/** The one message of a unary gRPC call: five bytes (compressed?, length), then the message, perhaps gzipped. */
import type { ServerHttp2Stream } from 'node:http2';
import { promisify } from 'node:util';
import { gunzip, gunzipSync } from 'node:zlib';

const HEADER = 5;
/** What the Temporal service itself accepts. */
const LARGEST_MESSAGE = 4 * 1024 * 1024;
const BODY_LIMIT_MS = 30_000;

const unzip = promisify(gunzip);

/** A request that is no proper gRPC call, with the status to answer. */
export class BadRequest extends Error {
  readonly status: number;

  constructor(message: string, status: number) {
    super(message);
    this.status = status;
  }
}

const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;

/** Read the whole body, bounded in bytes and time. Throws BadRequest. */
export async function readBody(stream: ServerHttp2Stream): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(
    () => stream.destroy(new BadRequest('the request did not end', DEADLINE_EXCEEDED)),
    BODY_LIMIT_MS,
  );
  try {
    // Not destroyed when left early: the caller is still to be told why.
    const body: AsyncIterable<Buffer> = stream.iterator({ destroyOnReturn: false });
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > HEADER + LARGEST_MESSAGE) throw tooLarge();
      chunks.push(chunk);
    }
  } finally {
    clearTimeout(timer);
  }
  return Buffer.concat(chunks);
}

/** Return the message inside a body. Throws BadRequest when there is not exactly one. */
export async function decodeBody(body: Buffer, encoding: string | undefined): Promise<Uint8Array> {
  if (!isOneMessage(body)) throw new BadRequest('the request is not one gRPC message', INVALID_ARGUMENT);
  const message = body.subarray(HEADER);
  if (body[0] === 0) return message;
  if (body[0] !== 1 || encoding !== 'gzip') {
    throw new BadRequest(
      `the message is compressed as ${encoding ?? 'nothing'}; only gzip is read`,
      INVALID_ARGUMENT,
    );
  }
  try {
    return await unzip(message, { maxOutputLength: LARGEST_MESSAGE });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new BadRequest('the message is not gzip', INVALID_ARGUMENT);
  }
}

/** The one message of an answer of the service, which is trusted, and short; undefined where it broke off. */
export function messageOf(body: Buffer): Uint8Array | undefined {
  if (!isOneMessage(body)) return undefined;
  const message = body.subarray(HEADER);
  return body[0] === 0 ? message : gunzipSync(message, { maxOutputLength: LARGEST_MESSAGE });
}

/** A message as a body that is not compressed. */
export function encodeBody(message: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER);
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

const isOneMessage = (body: Buffer): boolean =>
  body.length >= HEADER && body.readUInt32BE(1) === body.length - HEADER;

const tooLarge = (): BadRequest =>
  new BadRequest(`the message has more than ${LARGEST_MESSAGE} bytes`, RESOURCE_EXHAUSTED);
