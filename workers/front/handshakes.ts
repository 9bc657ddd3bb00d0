/** Logs connections that never became a session: no certificate, one of another authority, or no TLS at all. */
import type { Http2SecureServer } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';

type Log = (event: Readonly<Record<string, unknown>>) => void;

/**
 * Log one line for each connection that was refused. A certificate that does not verify ends in silence: the server
 * closes the connection without an event, so what counts is a close that no session came before.
 */
export function logRefusedHandshakes(server: Http2SecureServer, log: Log): void {
  const open = new Map<string, string>();
  server.on('connection', (socket: Socket) => {
    const peer = nameOf(socket);
    open.set(peer, 'its certificate was not made by the authority of this cluster for a node');
    socket.once('close', () => {
      const reason = open.get(peer);
      open.delete(peer);
      if (reason !== undefined) log({ event: 'tls refused', peer, reason });
    });
  });
  server.on('tlsClientError', (error: Error, socket: TLSSocket) => {
    const peer = nameOf(socket);
    if (open.has(peer)) open.set(peer, error.message.slice(0, 200));
  });
  server.on('session', ({ socket }) => {
    open.delete(nameOf(socket));
  });
}

const nameOf = ({ remoteAddress, remotePort }: Pick<Socket, 'remoteAddress' | 'remotePort'>): string =>
  `${remoteAddress ?? '?'}:${remotePort ?? '?'}`;
