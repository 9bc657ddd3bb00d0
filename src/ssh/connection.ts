/**
 * An open ssh connection to a node. It is made only after the host has proved a key that is pinned or known; there is
 * no way to switch that off. The agent is never forwarded and no password is ever sent.
 */
import type { Duplex } from 'node:stream';
import type { Client, ClientChannel } from 'ssh2';
import { type WindlassError, fail } from '../errors.ts';
import type { Command } from '../process/command.ts';
import { escapeLine } from '../process/escape.ts';
import type { SshTarget } from './config.ts';
import { type ExecOptions, type ExecResult, execOn } from './session.ts';
import { readCredentials } from './keys.ts';
import { isHostKeyPin, readKnownHosts } from './known-hosts.ts';
import { login } from './login.ts';
import { type Transport, drained, openTcp, overStream, watchSilence } from './transport.ts';

export interface ConnectOptions {
  /** Fingerprints that the host's key must have; they beat known_hosts. */
  readonly hostKeyPins?: readonly string[];
  /** From the first packet to the finished login, for each host on the way; 10 s unless told. */
  readonly timeoutMs?: number;
}

export const CONNECT_TIMEOUT_MS = 10_000;
const GOODBYE_MS = 1_000;

/**
 * Connect and log in, through the target's jump hosts. Throws SSH_… by cause, and KEY_… for a key that cannot work
 * before any packet is sent.
 */
export async function connect(target: SshTarget, options: ConnectOptions = {}): Promise<SshConnection> {
  const { hostKeyPins: pins = [], timeoutMs = CONNECT_TIMEOUT_MS } = options;
  refuseBadPins(target, pins);
  const [credentials, knownHosts] = await Promise.all([
    readCredentials(target),
    readKnownHosts(target.knownHostsFiles),
  ]);
  const via = await connectJumps(target, timeoutMs);
  try {
    const transport = await openTransport(target, via, timeoutMs);
    const { client, hostKey } = await login({ target, credentials, pins, knownHosts, transport, timeoutMs });
    return new SshConnection({ target, hostKey, client, transport, via });
  } catch (error) {
    via?.close();
    throw error;
  }
}

interface Parts {
  readonly target: SshTarget;
  readonly hostKey: string;
  readonly client: Client;
  readonly transport: Transport;
  readonly via: SshConnection | undefined;
}

export class SshConnection {
  readonly target: SshTarget;
  /** Fingerprint of the key that the host proved. */
  readonly hostKey: string;
  /** Resolves when the connection has ended, with the reason: `closed` when it was us. */
  readonly closed: Promise<string>;
  readonly #client: Client;
  readonly #line: Duplex;
  #isOpen = true;
  #endReason = 'the other side closed it';

  constructor({ target, hostKey, client, transport, via }: Parts) {
    this.target = target;
    this.hostKey = hostKey;
    this.#client = client;
    this.#line = transport.stream;
    const stopWatching = watchSilence(this.#line, () => {
      this.#endReason = 'no sign of life for 15 s';
      this.#line.destroy();
    });
    client.on('error', (error) => {
      this.#endReason = escapeLine(error.message);
    });
    this.closed = new Promise((resolve) => {
      client.once('close', () => {
        this.#isOpen = false;
        stopWatching();
        via?.close();
        resolve(this.#endReason);
      });
    });
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Run a command there. A command that ends in any way is an answer, not an exception; see ExecResult. */
  exec(command: Command, options: ExecOptions = {}): Promise<ExecResult> {
    return execOn(this, command, options);
  }

  /**
   * Open a session that runs one rendered command line; `onOpen` sees its channel before any event of it has happened.
   * Throws SSH_LOST, or REMOTE_COMMAND when the server refuses.
   */
  openSession(line: string, onOpen?: (channel: ClientChannel) => void): Promise<ClientChannel> {
    return this.#open((done) =>
      this.#client.exec(line, (error, channel) => {
        if (error === undefined) onOpen?.(channel);
        done(error, channel);
      }),
    );
  }

  /** Open a TCP connection from that host to another address. Throws SSH_LOST or SSH_UNREACHABLE. */
  openTunnel(toHost: string, toPort: number): Promise<ClientChannel> {
    return this.#open((done) => this.#client.forwardOut('127.0.0.1', 0, toHost, toPort, done), {
      toHost,
      toPort,
    });
  }

  /** Wait until the line has taken what was written so far. */
  drained(): Promise<void> {
    return drained(this.#line);
  }

  /** Say that the connection is lost, as an error. */
  lost(during: string): WindlassError {
    const reason = this.#isOpen ? during : `${during} (${this.#endReason})`;
    return fail('SSH_LOST', { host: escapeLine(this.target.host), port: this.target.port, during: reason });
  }

  /** End the connection. Commands that run there go on. */
  close(): void {
    if (!this.#isOpen) return;
    this.#endReason = 'closed';
    this.#client.end();
    // The server need not answer a goodbye, and a cut line cannot.
    setTimeout(() => this.#line.destroy(), GOODBYE_MS).unref();
  }

  #open(start: (done: OpenDone) => unknown, to?: { toHost: string; toPort: number }): Promise<ClientChannel> {
    return new Promise((resolve, reject) => {
      try {
        start((error, channel) => {
          if (error === undefined) resolve(channel);
          // ssh2 says that the connection has closed before it fails what was being asked: still open, it is an answer.
          else reject(this.#isOpen ? this.#refused(error, to) : this.lost('before the command'));
        });
      } catch {
        reject(this.lost('before the command'));
      }
    });
  }

  #refused(error: Error, to: { toHost: string; toPort: number } | undefined): WindlassError {
    const reason = escapeLine(error.message);
    if (to === undefined)
      return fail('REMOTE_COMMAND', { command: 'ssh', ended: 'a refused session', evidence: reason }, error);
    return fail(
      'SSH_UNREACHABLE',
      {
        host: escapeLine(to.toHost),
        port: to.toPort,
        reason: `through ${escapeLine(this.target.host)}: ${reason}`,
      },
      error,
    );
  }
}

type OpenDone = (error: Error | undefined, channel: ClientChannel) => void;

async function connectJumps(target: SshTarget, timeoutMs: number): Promise<SshConnection | undefined> {
  const last = target.jumps.at(-1);
  if (last === undefined) return undefined;
  return connect({ ...last, jumps: target.jumps.slice(0, -1) }, { timeoutMs });
}

async function openTransport(
  target: SshTarget,
  via: SshConnection | undefined,
  timeoutMs: number,
): Promise<Transport> {
  if (via === undefined) return openTcp(target.host, target.port);
  const { host, port } = target;
  const silent = fail('SSH_TIMEOUT', {
    host: escapeLine(host),
    port,
    seconds: Math.round(timeoutMs / 100) / 10,
  });
  return overStream(await within(via.openTunnel(host, port), timeoutMs, silent));
}

async function within<T>(work: Promise<T>, timeoutMs: number, late: Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(reject, timeoutMs, late);
  });
  return Promise.race([work, deadline]).finally(() => {
    clearTimeout(timer);
  });
}

function refuseBadPins(target: SshTarget, pins: readonly string[]): void {
  const bad = pins.find((pin) => !isHostKeyPin(pin));
  if (bad === undefined) return;
  throw fail('USAGE', {
    message: `the host key pin ${escapeLine(bad)} of ${escapeLine(target.name)} does not look like SHA256:… (43 characters)`,
  });
}
