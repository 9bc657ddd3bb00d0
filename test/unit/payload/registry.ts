/** A registry on loopback that serves what a test gives it, counts what it is asked, and can break off. */
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

export interface Served {
  readonly body: Buffer | string;
  readonly type?: string;
  /** The connection is cut after this many bytes, this many times. */
  readonly breakAfter?: number;
  readonly breaks?: number;
  /** Answer Range requests with the whole file, as some proxies do. */
  readonly ignoresRange?: boolean;
}

export interface Registry {
  /** `http://127.0.0.1:PORT` */
  readonly origin: string;
  readonly requests: { readonly path: string; readonly range?: string; readonly authorization?: string }[];
  serve(path: string, served: Served): void;
  close(): Promise<void>;
}

/** Start a registry that answers 404 until it is given something. */
export async function startRegistry(): Promise<Registry> {
  const files = new Map<string, { served: Served; breaks: number }>();
  const requests: Registry['requests'] = [];
  const server: Server = createServer((request, response) => {
    const { url = '', headers } = request;
    requests.push({
      path: url,
      ...(headers.range !== undefined && { range: headers.range }),
      ...(headers.authorization !== undefined && { authorization: headers.authorization }),
    });
    const file = files.get(url);
    if (!file) {
      response.writeHead(404).end();
      return;
    }
    const body = Buffer.from(file.served.body);
    const start = file.served.ignoresRange === true ? 0 : rangeStart(request);
    if (start > 0 && start >= body.length) {
      response.writeHead(416).end();
      return;
    }
    response.writeHead(start > 0 ? 206 : 200, {
      'content-type': file.served.type ?? 'application/octet-stream',
      'content-length': body.length - start,
      ...(start > 0 && { 'content-range': `bytes ${start}-${body.length - 1}/${body.length}` }),
    });
    if (file.breaks > 0) {
      file.breaks -= 1;
      response.write(body.subarray(start, start + (file.served.breakAfter ?? 0)), () => response.destroy());
    } else {
      response.end(body.subarray(start));
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    serve: (path, served) => files.set(path, { served, breaks: served.breaks ?? 0 }),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export interface Proxy {
  readonly origin: string;
  /** What it was asked to connect to. */
  readonly asked: string[];
  close(): Promise<void>;
}

/** Start a proxy that connects every caller to loopback, whatever host it asks for. */
export async function startProxy(): Promise<Proxy> {
  const asked: string[] = [];
  const sockets = new Set<Duplex>();
  const server = createServer();
  server.on('connect', ({ url = '' }, client: Duplex) => {
    asked.push(url);
    const upstream = connect(Number(url.split(':')[1]), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(client).pipe(upstream);
    });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function rangeStart({ headers }: IncomingMessage): number {
  return Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);
}
