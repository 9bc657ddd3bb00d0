// Starting and stopping a small HTTP server on a Unix socket or on a loopback port.

import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';

/** Where a stand-in server listens: a Unix socket (relayed into the lab) or a loopback port (0 picks one). */
export type Place = { readonly socket: string } | { readonly port: number };

/** A server that listens: its URL (of the port, or `http://localhost` for a socket) and its end. */
export interface Listening {
  readonly url: string;
  readonly close: () => Promise<void>;
}

/** Listen at `place`; a stale socket file is replaced. `close` cuts open connections. */
export async function listen(place: Place, handler: RequestListener): Promise<Listening> {
  const server = createServer(handler);
  server.keepAliveTimeout = 120_000;
  if ('socket' in place) await rm(place.socket, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    if ('socket' in place) server.listen(place.socket, resolve);
    else server.listen(place.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  const url =
    typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : 'http://localhost';
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
    if ('socket' in place) await rm(place.socket, { force: true });
  };
  return { url, close };
}
