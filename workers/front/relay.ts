/** Carries one accepted request to the Temporal service and its answer back, trailers included. */
import {
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import { encodeBody, messageOf } from './message.ts';
import type { Upstream } from './upstream.ts';

const UNAVAILABLE = '14';

/** Headers of gRPC and of the SDK that the service may see. Nothing that a node makes up passes. */
const PASSED = [
  'content-type',
  'te',
  'user-agent',
  'grpc-timeout',
  'grpc-encoding',
  'grpc-accept-encoding',
  'client-name',
  'client-version',
  'supported-server-versions',
] as const;

/** Answer without a message: the status travels in the only headers. */
export function answer(stream: ServerHttp2Stream, status: string, message: string): void {
  if (stream.destroyed || stream.headersSent) return;
  stream.respond(
    {
      ':status': 200,
      'content-type': 'application/grpc',
      'grpc-status': status,
      'grpc-message': encodeURIComponent(message),
    },
    { endStream: true },
  );
  // The rest of the request, if any, is of no interest (RFC 9113, 8.1).
  if (!stream.readableEnded) stream.close(constants.NGHTTP2_NO_ERROR);
}

export interface Relayed {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** What the caller gets in place of the service's message; where it is not given, the answer is streamed. */
  readonly rewriteAnswer?: (message: Uint8Array) => Uint8Array;
}

/** Send the request's body on, then carry the answer back. */
export function relay(
  stream: ServerHttp2Stream,
  { path, headers, body, rewriteAnswer }: Relayed,
  upstream: Upstream,
): void {
  if (stream.destroyed) return;
  const up = upstream.request(requestHeaders(path, headers));
  // A caller that is gone must not leave a long poll behind: a task given to it would be lost.
  stream.on('close', () => {
    up.close(constants.NGHTTP2_CANCEL);
  });
  up.on('error', () => undefined);
  up.on('response', (response) => {
    carryBack(stream, up, response, rewriteAnswer);
  });
  up.on('close', () => {
    answer(stream, UNAVAILABLE, 'the Temporal service behind the front is not there');
  });
  up.end(body);
}

function carryBack(
  stream: ServerHttp2Stream,
  up: ClientHttp2Stream,
  response: IncomingHttpHeaders,
  rewrite: Relayed['rewriteAnswer'],
): void {
  if (stream.destroyed) return;
  const headers = responseHeaders(response);
  if ('grpc-status' in headers) {
    stream.respond(headers, { endStream: true });
    return;
  }
  let trailers: OutgoingHttpHeaders | undefined;
  up.on('trailers', (received: IncomingHttpHeaders) => {
    trailers = responseHeaders(received);
  });
  stream.on('wantTrailers', () => {
    stream.sendTrailers(trailers ?? { 'grpc-status': UNAVAILABLE, 'grpc-message': 'the answer broke off' });
  });
  stream.respond(headers, { waitForTrailers: true });
  if (rewrite) rewritten(stream, up, rewrite);
  else up.pipe(stream, { end: false });
  // By now the trailers are known, or will never come.
  up.on('close', () => {
    if (!stream.destroyed) stream.end();
  });
}

/** Nothing is passed of an answer that broke off; its trailers say so. */
function rewritten(
  stream: ServerHttp2Stream,
  up: ClientHttp2Stream,
  rewrite: (message: Uint8Array) => Uint8Array,
): void {
  const chunks: Buffer[] = [];
  up.on('data', (chunk: Buffer) => chunks.push(chunk));
  up.on('end', () => {
    const message = messageOf(Buffer.concat(chunks));
    if (message && !stream.destroyed) stream.write(encodeBody(rewrite(message)));
  });
}

function requestHeaders(path: string, headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const passed: OutgoingHttpHeaders = { ':method': 'POST', ':path': path };
  for (const name of PASSED) {
    const value = headers[name];
    if (typeof value === 'string') passed[name] = value;
  }
  return passed;
}

function responseHeaders(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const { 'transfer-encoding': _encoding, connection: _connection, ...rest } = headers;
  return rest;
}
