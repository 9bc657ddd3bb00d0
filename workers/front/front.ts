/**
 * The front: mutual TLS and a closed list of methods before the Temporal service on loopback, which knows neither.
 * One certificate per node; its common name is the node id.
 */
import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Certificate, TLSSocket } from 'node:tls';
import { logRefusedHandshakes } from './handshakes.ts';
import { watchLiveness } from './liveness.ts';
import { BadRequest, decodeBody, encodeBody, readBody } from './message.ts';
import { methodName, methodOf } from './methods.ts';
import { answer, relay } from './relay.ts';
import { type Credentials, type FrontSettings, readCredentials, readSettings } from './settings.ts';
import { sealKey, type SealKey } from './task-seal.ts';
import { Upstream } from './upstream.ts';
import { watchFiles } from './watch-files.ts';

const PERMISSION_DENIED = '7';
const UNAUTHENTICATED = '16';
const HANDSHAKE_LIMIT_MS = 10_000;
// A node worker needs some ten: polls of two queues, heartbeats, answers.
const STREAMS_PER_SESSION = 64;
// It needs one, and for a moment another when it is started anew; what is read of a request is held in memory.
const SESSIONS_PER_NODE = 4;
/** Said at each change of certificates again: Node.js forgets it. */
const oldestTls = { minVersion: 'TLSv1.3' } as const;

export type Log = (event: Readonly<Record<string, unknown>>) => void;

export interface Front {
  readonly address: AddressInfo;
  /** End all sessions and stop listening. */
  close(): Promise<void>;
}

/** Start the front and resolve when it listens. It reads its settings and certificates again when they change. */
export async function startFront(settingsFile: string, log: Log): Promise<Front> {
  const settings = await readSettings(settingsFile);
  const front = new RunningFront(settings, await readCredentials(settings), log);
  const address = await front.listen();
  const files = [settingsFile, settings.ca, settings.certificate, settings.key];
  const stopWatching = watchFiles(files, () => void front.reload(settingsFile));
  return {
    address,
    close: async () => {
      stopWatching();
      await front.close();
    },
  };
}

class RunningFront {
  #settings: FrontSettings;
  #sealKey: SealKey;
  readonly #upstream: Upstream;
  readonly #server: Http2SecureServer;
  readonly #log: Log;
  /** The node of each session that is open. */
  readonly #sessions = new Map<ServerHttp2Session, string | undefined>();

  constructor(settings: FrontSettings, credentials: Credentials, log: Log) {
    this.#settings = settings;
    this.#sealKey = sealKey(credentials.key);
    this.#upstream = new Upstream(settings.upstream);
    this.#log = log;
    this.#server = createSecureServer({
      ...credentials,
      ...oldestTls,
      requestCert: true,
      rejectUnauthorized: true,
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
      settings: { maxConcurrentStreams: STREAMS_PER_SESSION, enablePush: false },
    });
    this.#server.on('session', (session) => {
      this.#admit(session);
      session.on('close', () => this.#sessions.delete(session));
      session.on('error', () => undefined);
      watchLiveness(session);
    });
    this.#server.on('stream', (stream, headers) => void this.#serve(stream, headers));
    logRefusedHandshakes(this.#server, log);
  }

  async listen(): Promise<AddressInfo> {
    const { address, port } = this.#settings.listen;
    this.#server.listen(port, address);
    await once(this.#server, 'listening');
    return this.#server.address() as AddressInfo;
  }

  /** Take over changed certificates and nodes; what cannot be read leaves everything as it was. */
  async reload(settingsFile: string): Promise<void> {
    try {
      const settings = await readSettings(settingsFile);
      const credentials = await readCredentials(settings);
      this.#server.setSecureContext({ ...credentials, ...oldestTls });
      this.#sealKey = sealKey(credentials.key);
      this.#settings = settings;
      for (const [session, node] of this.#sessions) if (!this.#isMember(node)) session.destroy();
      this.#log({ event: 'settings read again', nodes: settings.nodes.length });
    } catch (error) {
      this.#log({ event: 'settings not read', reason: String(error).slice(0, 500) });
    }
  }

  async close(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    for (const session of this.#sessions.keys()) session.destroy();
    this.#upstream.close();
    await closed;
  }

  /** The newest sessions of a node stay. */
  #admit(session: ServerHttp2Session): void {
    const node = readNode(session);
    const others = [...this.#sessions].filter(([, each]) => each === node);
    for (const [oldest] of others.slice(0, Math.max(0, others.length + 1 - SESSIONS_PER_NODE)))
      oldest.destroy();
    this.#sessions.set(session, node);
  }

  #isMember(node: string | undefined): node is string {
    return node !== undefined && this.#settings.nodes.includes(node);
  }

  async #serve(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void> {
    stream.on('error', () => undefined);
    const path = headers[':path'] ?? '';
    const node = this.#sessions.get(stream.session as ServerHttp2Session);
    const refuse = (status: string, reason: string): void => {
      const peer = stream.session?.socket.remoteAddress;
      this.#log({ event: 'refused', node, peer, method: methodName(path), reason });
      answer(stream, status, `node ${node ?? '(unknown)'} ${reason}`);
    };
    if (!this.#isMember(node)) {
      refuse(UNAUTHENTICATED, 'does not belong to this cluster');
      return;
    }
    const method = methodOf(path);
    if (!method || headers[':method'] !== 'POST') {
      refuse(PERMISSION_DENIED, `may not call ${methodName(path)}`);
      return;
    }
    try {
      const body = await readBody(stream);
      const message = await decodeBody(body, headers['grpc-encoding']?.toString());
      const caller = { node, namespace: this.#settings.namespace, sealKey: this.#sealKey };
      const reason = method.judge(message, caller);
      if (reason !== undefined) {
        refuse(PERMISSION_DENIED, reason);
        return;
      }
      const { rewriteRequest, rewriteAnswer } = method;
      relay(
        stream,
        {
          path,
          headers,
          body: rewriteRequest ? encodeBody(rewriteRequest(message, caller)) : body,
          ...(rewriteAnswer && { rewriteAnswer: (answered) => rewriteAnswer(answered, caller) }),
        },
        this.#upstream,
      );
    } catch (error) {
      // A caller that has gone away needs no answer; a message that does not decode was not made by the SDK.
      if (stream.destroyed) return;
      if (error instanceof BadRequest) refuse(String(error.status), error.message);
      else refuse('3', `sent a message that cannot be read: ${String(error).slice(0, 200)}`);
    }
  }
}

/** The node id in the certificate of a session's far side. */
function readNode(session: ServerHttp2Session): string | undefined {
  const certificate: { readonly subject?: Partial<Certificate> } = (
    session.socket as TLSSocket
  ).getPeerCertificate();
  const name: unknown = certificate.subject?.CN;
  return typeof name === 'string' ? name : undefined;
}
