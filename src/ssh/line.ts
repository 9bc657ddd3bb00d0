/**
 * A line to one host that comes back: when its ssh connection is lost, the next tunnel opens a new one. What went
 * through the lost connection is lost; who waits at the other end of the tunnel tries again.
 */
import type { ClientChannel } from 'ssh2';
import type { WindlassError } from '../errors.ts';
import type { SshConnection } from './connection.ts';
import type { TunnelSource } from './forward.ts';

export class SshLine implements TunnelSource {
  private readonly reconnect: () => Promise<SshConnection>;
  private readonly first: SshConnection;
  private current: Promise<SshConnection>;
  private isLost = false;
  private isClosed = false;
  private latest: SshConnection;

  /** `first` belongs to the caller; connections that the line opens itself are closed with it. */
  constructor(first: SshConnection, reconnect: () => Promise<SshConnection>) {
    this.reconnect = reconnect;
    this.first = first;
    this.latest = first;
    this.current = Promise.resolve(first);
    void this.noteLoss(first);
  }

  /** Throws what connecting again throws, and the next call tries once more; SSH_LOST after the line was closed. */
  async openTunnel(toHost: string, toPort: number): Promise<ClientChannel> {
    if (this.isClosed) throw this.gone();
    if (this.isLost) {
      this.isLost = false;
      this.current = this.open();
    }
    return (await this.current).openTunnel(toHost, toPort);
  }

  close(): void {
    this.isClosed = true;
    if (this.latest !== this.first) this.latest.close();
  }

  private async open(): Promise<SshConnection> {
    try {
      const connection = await this.reconnect();
      this.latest = connection;
      // Closed while this was being opened: nobody else would close it, and it would keep the program waiting.
      if (this.isClosed) {
        connection.close();
        throw this.gone();
      }
      void this.noteLoss(connection);
      return connection;
    } catch (error) {
      this.isLost = true;
      throw error;
    }
  }

  private gone(): WindlassError {
    return this.latest.lost('when its line was closed');
  }

  private async noteLoss(connection: SshConnection): Promise<void> {
    await connection.closed;
    this.isLost = true;
  }
}
