/** The front before a real Temporal server, with a real worker behind a real certificate. */
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { connect, type SecureVersion } from 'node:tls';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { Client, type Connection, type ServiceError } from '@temporalio/client';
import { temporal } from '@temporalio/proto';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { ensureAuthority, ensureServer, issueForNode, type Issued } from '../../workers/front/authority.ts';
import { type Front, startFront } from '../../workers/front/front.ts';
import type { ClosableConnection } from '../../src/temporal/closable.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import { startTemporal, type TemporalServer } from '../support/temporal.ts';

const NODE = '00000000000000aa';
const OTHER = '00000000000000bb';
const NAMESPACE = 'windlass';
const QUEUE = `windlass.node.${NODE}`;

let folder: string;
let server: TemporalServer;
let front: Front;
let client: Client;
let opened: ClosableConnection;
let direct: Connection;
let node: Issued;
let log: Readonly<Record<string, unknown>>[];

const { PollActivityTaskQueueRequest, PollActivityTaskQueueResponse } = temporal.api.workflowservice.v1;
const POLL_HEADERS = {
  ':method': 'POST',
  ':path': '/temporal.api.workflowservice.v1.WorkflowService/PollActivityTaskQueue',
  'content-type': 'application/grpc',
  te: 'trailers',
  'grpc-timeout': '60S',
};

const settingsFile = (): string => join(folder, 'front.json');

async function writeSettings(nodes: readonly string[]): Promise<void> {
  const settings = {
    listen: { address: '127.0.0.1', port: 0 },
    upstream: server.address,
    namespace: NAMESPACE,
    ca: join(folder, 'ca.crt'),
    certificate: join(folder, 'server.crt'),
    key: join(folder, 'server.key'),
    nodes,
  };
  await writeFile(settingsFile(), JSON.stringify(settings));
}

beforeAll(async () => {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  folder = await mkdtemp(join(tmpdir(), 'windlass-front-'));
  await ensureAuthority(folder);
  await ensureServer(folder, '127.0.0.1');
  node = await issueForNode(folder, NODE, 30);
  server = await startTemporal({ withFile: true, namespaces: [NAMESPACE] });
  opened = openConnection({
    address: server.address,
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 500 },
  });
  direct = opened.connection;
  client = new Client({ connection: direct, namespace: NAMESPACE });
}, 120_000);

afterAll(async () => {
  await opened.close();
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

beforeEach(async () => {
  log = [];
  await writeSettings([NODE]);
  front = await startFront(settingsFile(), (event) => log.push(event));
});

afterEach(async () => {
  await front.close();
});

const tls = ({ ca, certificate, key }: Issued) => ({
  serverRootCACertificate: Buffer.from(ca),
  clientCertPair: { crt: Buffer.from(certificate), key: Buffer.from(key) },
});

const credentials = () => ({ ca: node.ca, cert: node.certificate, key: node.key });

const address = (): string => `127.0.0.1:${front.address.port}`;

async function withWorker<T>(taskQueue: string, work: () => Promise<T>): Promise<T> {
  const connection = await NativeConnection.connect({ address: address(), tls: tls(node) });
  try {
    const worker = await Worker.create({
      connection,
      namespace: NAMESPACE,
      taskQueue,
      identity: `node ${NODE}`,
      activities: { greet: (name: string) => Promise.resolve(`hello ${name}`) },
    });
    return await worker.runUntil(work);
  } finally {
    await connection.close();
  }
}

let greetings = 0;

function greet(name: string, taskQueue = QUEUE): Promise<unknown> {
  return client.activity.execute('greet', {
    id: `greet-${Date.now()}-${(greetings += 1)}`,
    taskQueue,
    args: [name],
    scheduleToCloseTimeout: '60s',
  });
}

/** Call the front as a gRPC client with a node's certificate. */
async function asNode<T>(issued: Issued, call: (connection: Connection) => Promise<T>): Promise<T> {
  const { connection, close } = openConnection({ address: address(), tls: tls(issued) });
  try {
    return await call(connection);
  } finally {
    await close();
  }
}

const codeOf = (error: unknown): unknown => {
  const { code, cause } = error as ServiceError & { code?: number };
  return code ?? (cause as { code?: number } | undefined)?.code;
};

async function refusal(call: Promise<unknown>): Promise<{ code: unknown; message: string }> {
  const error = await call.then(
    () => {
      throw new Error('the call was not refused');
    },
    (reason: unknown) => reason,
  );
  return { code: codeOf(error), message: decodeURIComponent((error as Error).message) };
}

const complete = (issued: Issued, taskToken: Uint8Array): Promise<unknown> =>
  asNode(issued, (connection) =>
    connection.workflowService.respondActivityTaskCompleted({ namespace: NAMESPACE, taskToken }),
  );

describe('a node behind its certificate', () => {
  it('polls its own queue and executes activities', async () => {
    await expect(
      withWorker(QUEUE, () => Promise.all(['a', 'b', 'c'].map((name) => greet(name)))),
    ).resolves.toEqual(['hello a', 'hello b', 'hello c']);
    expect(log.filter(({ event }) => event === 'refused')).toEqual([]);
  });

  it('polls its probe queue', async () => {
    const queue = `${QUEUE}.probe`;
    await expect(withWorker(queue, () => greet('probe', queue))).resolves.toBe('hello probe');
  });

  it('is refused the queue of another node', async () => {
    const { code, message } = await refusal(
      asNode(node, (connection) =>
        connection.workflowService.pollActivityTaskQueue({
          namespace: NAMESPACE,
          taskQueue: { name: `windlass.node.${OTHER}` },
        }),
      ),
    );
    expect(code).toBe(7);
    expect(message).toContain(`node ${NODE} polls windlass.node.${OTHER}, which is not its own queue`);
    expect(log).toContainEqual(
      expect.objectContaining({ event: 'refused', node: NODE, method: 'PollActivityTaskQueue' }),
    );
  });

  it('is refused another namespace', async () => {
    const { code, message } = await refusal(
      asNode(node, (connection) =>
        connection.workflowService.pollActivityTaskQueue({
          namespace: 'default',
          taskQueue: { name: QUEUE },
        }),
      ),
    );
    expect(code).toBe(7);
    expect(message).toContain('asks for the namespace default');
  });

  it('may not start a workflow', async () => {
    const { code, message } = await refusal(
      asNode(node, (connection) =>
        connection.workflowService.startWorkflowExecution({
          namespace: NAMESPACE,
          workflowId: 'x',
          workflowType: { name: 'x' },
          taskQueue: { name: 'windlass' },
        }),
      ),
    );
    expect(code).toBe(7);
    expect(message).toContain('may not call StartWorkflowExecution');
  });

  it('goes on working after the service was killed and came back', async () => {
    await withWorker(QUEUE, async () => {
      await expect(greet('before')).resolves.toBe('hello before');
      await server.kill();
      await server.start();
      await expect(greet('after')).resolves.toBe('hello after');
    });
  }, 90_000);

  it.each([
    ['unfolds to more than the service takes', '8', () => frame(gzipSync(Buffer.alloc(5 * 1024 * 1024)), 1)],
    ['is larger than the service takes', '8', () => frame(Buffer.alloc(5 * 1024 * 1024))],
    ['is not gzip though it says so', '3', () => frame(Buffer.from('plain'), 1)],
    ['ends too early', '3', () => frame(Buffer.from('whole')).subarray(0, 7)],
    ['is two messages', '3', () => Buffer.concat([frame(Buffer.alloc(0)), frame(Buffer.alloc(0))])],
    ['is not protobuf', '3', () => frame(Buffer.alloc(20, 0xff))],
  ])('is refused a request that %s', async (_what, status, body) => {
    const session = connectHttp2(`https://${address()}`, credentials());
    try {
      const call = session.request({ ...POLL_HEADERS, 'grpc-encoding': 'gzip' });
      const answered = once(call, 'response') as Promise<[IncomingHttpHeaders]>;
      call.on('error', () => undefined);
      call.end(body());
      const [headers] = await answered;
      expect(headers['grpc-status']).toBe(status);
    } finally {
      session.destroy();
    }
  });

  it('leaves no long poll behind when it goes', async () => {
    const queue = { namespace: NAMESPACE, taskQueue: { name: QUEUE } };
    const { workflowService } = direct;
    /** A poll that the service holds. */
    const pollAs = async (identity: string) => {
      const session = connectHttp2(`https://${address()}`, credentials());
      const poll = session.request(POLL_HEADERS);
      poll.on('error', () => undefined);
      poll.end(frame(PollActivityTaskQueueRequest.encode({ ...queue, identity }).finish()));
      await until(async () => {
        const { pollers } = await workflowService.describeTaskQueue({ ...queue, taskQueueType: 2 });
        return pollers.some((each) => each.identity === identity);
      });
      return { session, poll };
    };
    const ghost = await pollAs('ghost');
    ghost.session.destroy();
    // Through the front again, which hears of this one after the end of the other, and tells the service in that order.
    const next = await pollAs('next');
    // A poll left behind would swallow the task: it has waited for longer.
    const result = greet('later');
    const message = Buffer.concat(await next.poll.toArray()).subarray(5);
    next.session.close();
    const task = PollActivityTaskQueueResponse.decode(message);
    expect(task.activityType?.name).toBe('greet');
    await complete(node, task.taskToken);
    await result;
  }, 30_000);

  it('answers the tasks that were given to it, and no others', async () => {
    await writeSettings([NODE, OTHER]);
    await until(() => log.some(({ event }) => event === 'settings read again'));
    const other = await issueForNode(folder, OTHER, 30);
    const queue = { namespace: NAMESPACE, taskQueue: { name: QUEUE } };
    const poll = (issued: Issued) =>
      asNode(issued, (connection) =>
        connection.withDeadline(Date.now() + 20_000, () =>
          connection.workflowService.pollActivityTaskQueue(queue),
        ),
      );
    const result = greet('mine');
    const { taskToken } = await poll(node);
    // Whoever saw it on its way to the node, and whoever knows how the service makes one.
    for (const token of [taskToken, taskToken.subarray(0, -32), Buffer.alloc(0)]) {
      const { code, message } = await refusal(complete(other, token));
      expect(code).toBe(7);
      expect(message).toContain(`node ${OTHER} answers a task that was not given to it`);
    }
    await complete(node, taskToken);
    await result;
  }, 30_000);
});

describe('everyone else', () => {
  it('is refused in the handshake without a certificate', async () => {
    await expect(handshake({ ca: node.ca })).rejects.toThrow(/certificate required/);
    expect(log).toContainEqual(expect.objectContaining({ event: 'tls refused' }));
  });

  it('is refused in the handshake with a certificate of another authority', async () => {
    const strangers = await mkdtemp(join(tmpdir(), 'windlass-strangers-'));
    try {
      await ensureAuthority(strangers);
      const { certificate, key } = await issueForNode(strangers, NODE, 30);
      await expect(handshake({ ca: node.ca, cert: certificate, key })).rejects.toThrow(/closed/);
      await until(() => log.some(({ event }) => event === 'tls refused'));
    } finally {
      await rm(strangers, { recursive: true, force: true });
    }
  });

  it("is refused with the front's own certificate", async () => {
    const [cert, key] = await Promise.all(
      ['server.crt', 'server.key'].map((file) => readFile(join(folder, file), 'utf8')),
    );
    await expect(handshake({ ca: node.ca, cert: cert ?? '', key: key ?? '' })).rejects.toThrow(/closed/);
  });

  it('is refused with the certificate of a node that is not in the cluster, until it is added', async () => {
    const stranger = await issueForNode(folder, OTHER, 30);
    const look = (): Promise<unknown> =>
      asNode(stranger, (connection) => connection.workflowService.getSystemInfo({}));
    const { code, message } = await refusal(look());
    expect(code).toBe(16);
    expect(message).toContain('does not belong to this cluster');
    await writeSettings([NODE, OTHER]);
    await until(() => log.some(({ event }) => event === 'settings read again'));
    await expect(look()).resolves.toHaveProperty('serverVersion');
  });

  it('loses its connection when its node is taken out of the cluster', async () => {
    const session = connectHttp2(`https://${address()}`, credentials());
    session.on('error', () => undefined);
    await once(session, 'connect');
    await writeSettings([OTHER]);
    await once(session, 'close');
    expect(
      (await refusal(asNode(node, (connection) => connection.workflowService.getSystemInfo({})))).code,
    ).toBe(16);
  });
});

describe('a front that runs', () => {
  it('takes over a new certificate without a restart', async () => {
    const before = await handshake(credentials());
    const key = await readFile(join(folder, 'server.key'), 'utf8');
    await rm(join(folder, 'server.crt'));
    await ensureServer(folder, '127.0.0.1');
    await until(() => log.some(({ event }) => event === 'settings read again'));
    const after = await handshake(credentials());
    expect(after).not.toBe(before);
    // Tasks that are under way are sealed by it.
    expect(await readFile(join(folder, 'server.key'), 'utf8')).toBe(key);
    // What was said when it began to listen holds for every later certificate.
    await expect(handshake({ ...credentials(), maxVersion: 'TLSv1.2' })).rejects.toThrow(/protocol version/);
  });

  it('keeps the newest sessions of a node, and ends the others', async () => {
    const sessions: ClientHttp2Session[] = [];
    for (let count = 0; count < 6; count += 1) {
      const session = connectHttp2(`https://127.0.0.1:${front.address.port}`, credentials());
      session.on('error', () => undefined);
      sessions.push(session);
      await once(session, 'remoteSettings');
    }
    await until(() => sessions.filter(({ closed }) => closed).length === 2);
    expect(sessions.map(({ closed }) => closed)).toEqual([true, true, false, false, false, false]);
    for (const session of sessions) session.destroy();
  });
});

/** Make a TLS connection; resolves with the fingerprint of the server's certificate. */
function handshake(offered: {
  ca: string;
  cert?: string;
  key?: string;
  maxVersion?: SecureVersion;
}): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port: front.address.port,
      ALPNProtocols: ['h2'],
      ...offered,
    });
    socket.once('error', reject);
    socket.once('close', () => {
      reject(new Error('the front closed the connection'));
    });
    // With TLS 1.3 the client learns that its certificate was refused only after its own handshake is done.
    socket.once('data', () => {
      resolve(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
  });
}

/** One message as a gRPC body. */
function frame(message: Uint8Array, compressed: 0 | 1 = 0): Buffer {
  const header = Buffer.alloc(5);
  header[0] = compressed;
  header.writeUInt32BE(message.length, 1);
  return Buffer.concat([header, message]);
}

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('it did not become true');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
