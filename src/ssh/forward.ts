/**
 * A port on this machine's loopback that leads through an ssh connection to an address beyond it, such as the
 * Temporal service on the head.
 */
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import type { ClientChannel } from 'ssh2';

export interface Forward {
  /** The port on 127.0.0.1, chosen by the system. */
  readonly port: number;
  /** Stop listening and end every connection that goes through. */
  close(): Promise<void>;
}

/** What opens tunnels: one ssh connection, or a line that connects again when it was lost. */
export interface TunnelSource {
  openTunnel(toHost: string, toPort: number): Promise<ClientChannel>;
}

/** Listen on 127.0.0.1 and lead every connection to an address as seen from the other host. One that breaks does not touch the others. */
export async function forwardLocal(
  connection: TunnelSource,
  { toHost, toPort }: { readonly toHost: string; readonly toPort: number },
): Promise<Forward> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    void lead(socket, connection, toHost, toPort);
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port, close };
}

async function lead(socket: Socket, connection: TunnelSource, toHost: string, toPort: number): Promise<void> {
  // A connection that breaks is its two ends' business: both see it closed.
  socket.on('error', () => undefined);
  try {
    const tunnel = await connection.openTunnel(toHost, toPort);
    tunnel.on('error', () => socket.destroy());
    tunnel.once('close', () => {
      socket.destroySoon();
    });
    socket.once('close', () => {
      tunnel.close();
    });
    if (socket.destroyed) tunnel.close();
    socket.pipe(tunnel).pipe(socket);
  } catch {
    socket.destroy();
  }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}
