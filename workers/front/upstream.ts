/** The one HTTP/2 session to the Temporal service on loopback, made anew when the service has ended it. */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';

// Hundreds of long polls share the session; Node.js counts each against this limit (in megabytes).
const SESSION_MEMORY_MB = 512;
const WINDOW_BYTES = 1024 * 1024;

export class Upstream {
  readonly #origin: string;
  #session: ClientHttp2Session | undefined;

  constructor(address: string) {
    this.#origin = `http://${address}`;
  }

  /** Open a stream. When the service is away the stream ends with an error; the next call tries anew. */
  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    return this.#live().request(headers);
  }

  close(): void {
    this.#session?.destroy();
  }

  #live(): ClientHttp2Session {
    // The service ends every session after some minutes (GOAWAY): old streams finish there, new ones need a new one.
    if (this.#session && !this.#session.closed && !this.#session.destroyed) return this.#session;
    const session = connect(this.#origin, {
      maxSessionMemory: SESSION_MEMORY_MB,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    });
    session.on('connect', () => {
      session.setLocalWindowSize(WINDOW_BYTES * 16);
    });
    // Each stream of a broken session is told by itself.
    session.on('error', () => undefined);
    this.#session = session;
    return session;
  }
}
