/**
 * An ssh server inside the test's own process: the library's server part, real sockets, real keys, and a real `sh`
 * for each command. It needs no root and no program, and a test can break it at an exact moment. What OpenSSH's own
 * server does differently is shown by test/lab/ssh.test.ts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type Server as TcpServer, type Socket, connect as connectTcp, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2, { type AuthContext, type Connection, type ServerChannel, type Session } from 'ssh2';
import type { SshTarget } from '../../src/ssh/config.ts';
import { closeServer, listen, plainTarget } from './sshd.ts';

export interface SshdOptions {
  /** Its host keys, as made by `newKey`. */
  readonly hostKeys?: readonly KeyPair[];
  /** Public keys that may log in, as lines of authorized_keys, beside the one of `target`. */
  readonly authorized?: readonly string[];
  /** Listen on this port; a free one unless told. */
  readonly port?: number;
  /** What the login shell does before each command, as a start-up file would. */
  readonly before?: string;
  /** Key exchanges that it knows. */
  readonly kex?: readonly ssh2.KexAlgorithm[];
}

export type Refused = 'logins' | 'sessions' | 'commands' | 'tunnels';

export interface SshdInProcess {
  readonly port: number;
  /** A folder for the test's files; removed by `stop`. */
  readonly folder: string;
  /** What came in: public keys that were offered, command lines, and bytes on the commands' standard input. */
  readonly seen: { offers: number; commands: string[]; connections: number; inputBytes: number };
  /** A target that reaches it with the right key; `known` writes its host keys into a known_hosts file. */
  target(changes?: Partial<SshTarget> & { readonly known?: boolean }): Promise<SshTarget>;
  /** Refuse from now on what it says yes to otherwise; undefined ends that. */
  refuse(what: Refused | undefined): void;
  /** Cut every connection at once, without a goodbye. */
  cut(): void;
  /** Send a signal to every command that runs, and to what it has started. */
  signal(name: NodeJS.Signals): void;
  /** How many connections are open. */
  open(): number;
  /** Call a function whenever a key is offered. */
  onOffer(report: () => void): void;
  /** Call a function as bytes for a command's standard input come in, for a fault at an exact moment. */
  onInput(report: (total: number) => void): void;
  stop(): Promise<void>;
}

export interface KeyPair {
  readonly private: string;
  /** `type base64` */
  readonly public: string;
}

/** Make a key pair in OpenSSH's own format. */
export function newKey(type: 'ed25519' | 'ecdsa' | 'rsa' = 'ed25519'): KeyPair {
  // ssh2 makes about one ed25519 key in 400 that neither it nor anybody else can read (measured: 8 of 3000).
  for (;;) {
    const pair = generate(type);
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

function generate(type: 'ed25519' | 'ecdsa' | 'rsa'): KeyPair {
  const { generateKeyPairSync } = ssh2.utils;
  if (type === 'rsa') return generateKeyPairSync('rsa', { bits: 2048 });
  return type === 'ecdsa' ? generateKeyPairSync('ecdsa', { bits: 256 }) : generateKeyPairSync('ed25519');
}

/** Start a server on a port of its own. */
export async function startSshdInProcess(options: SshdOptions = {}): Promise<SshdInProcess> {
  const { hostKeys = [newKey()], authorized = [] } = options;
  const folder = await mkdtemp(join(tmpdir(), 'windlass-ssh-'));
  const user = newKey();
  await writeFile(join(folder, 'id_test'), user.private, { mode: 0o600 });
  const sockets = new Set<Socket>();
  const children = new Set<ChildProcess>();
  const seen: SshdInProcess['seen'] = { offers: 0, commands: [], connections: 0, inputBytes: 0 };
  const keys = [user.public, ...authorized];
  const serving: Serving = {
    options,
    keys,
    seen,
    children,
    onInput: () => undefined,
    onOffer: () => undefined,
    refused: undefined,
  };
  const ssh = new ssh2.Server(
    {
      hostKeys: hostKeys.map((key) => key.private),
      ...(options.kex !== undefined && { algorithms: { kex: [...options.kex] } }),
    },
    (client) => {
      serve(client, serving);
    },
  );
  const server = createServer((socket) => {
    seen.connections += 1;
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    ssh.injectSocket(socket);
  });
  const port = await listen(server, options.port);
  return {
    port,
    folder,
    seen,
    refuse: (what) => {
      serving.refused = what;
    },
    signal: (name) => {
      for (const child of children) signalGroup(child, name);
    },
    open: () => sockets.size,
    onOffer: (report) => {
      serving.onOffer = report;
    },
    onInput: (report) => {
      serving.onInput = report;
    },
    target: async ({ known = true, ...changes } = {}) => {
      const file = join(folder, known ? 'known_hosts' : 'known_nobody');
      await writeFile(file, known ? knownHosts(port, hostKeys) : '');
      return { ...plainTarget(port, join(folder, 'id_test'), file), ...changes };
    },
    cut: () => {
      for (const socket of sockets) socket.resetAndDestroy();
    },
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await closeServer(server);
      for (const child of children) signalGroup(child, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A server that answers every connection with a function of the test. Ends them all when it is closed. */
export async function startTcp(
  answer: (socket: Socket) => void,
): Promise<{ port: number; server: TcpServer; close: () => Promise<void> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    sockets.add(socket.once('close', () => sockets.delete(socket)));
    socket.on('error', () => undefined);
    answer(socket);
  });
  const port = await listen(server);
  const close = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy();
    await closeServer(server);
  };
  return { port, server, close };
}

const knownHosts = (port: number, keys: readonly KeyPair[]): string =>
  keys.map((key) => `[127.0.0.1]:${port} ${key.public}\n`).join('');

interface Serving {
  readonly options: SshdOptions;
  readonly keys: readonly string[];
  readonly seen: SshdInProcess['seen'];
  readonly children: Set<ChildProcess>;
  onInput: (total: number) => void;
  onOffer: () => void;
  refused: Refused | undefined;
}

function serve(client: Connection, serving: Serving): void {
  client.on('error', () => undefined);
  client.on('authentication', (context) => {
    if (isAccepted(context, serving)) context.accept();
    else context.reject(['publickey']);
  });
  client.on('session', (accept, reject) => {
    if (serving.refused === 'sessions') reject();
    else serveSession(accept(), serving);
  });
  client.on('tcpip', (accept, reject, { destIP, destPort }) => {
    if (serving.refused === 'tunnels') {
      reject();
      return;
    }
    const socket = connectTcp({ host: destIP, port: destPort, allowHalfOpen: true });
    socket.once('connect', () => {
      const channel = accept();
      channel.on('error', () => undefined).once('close', () => socket.destroy());
      socket.on('error', () => {
        channel.close();
      });
      channel.pipe(socket).pipe(channel);
    });
    socket.once('error', reject);
  });
}

function isAccepted(context: AuthContext, { keys, seen, onOffer, refused }: Serving): boolean {
  if (context.method !== 'publickey') return false;
  if (context.signature === undefined) seen.offers += 1;
  onOffer();
  if (refused === 'logins') return false;
  const line = keys.find((key) => key.split(' ')[1] === context.key.data.toString('base64'));
  const key = line === undefined ? new Error('not authorized') : ssh2.utils.parseKey(line);
  if (key instanceof Error || Array.isArray(key)) return false;
  if (context.signature === undefined || context.blob === undefined) return true;
  // The types know of no Error here.
  const verdict: unknown = key.verify(context.blob, context.signature, context.hashAlgo);
  return verdict === true;
}

function serveSession(session: Session, serving: Serving): void {
  const { options, seen, children } = serving;
  session.on('exec', (accept, reject, { command }) => {
    if (serving.refused === 'commands') {
      reject();
      return;
    }
    seen.commands.push(command);
    // A group of its own, so that `stop` ends what the command left behind.
    const child = spawn('/bin/sh', ['-c', `${options.before ?? ''}\n${command}`], { detached: true });
    children.add(child);
    follow(child, accept(), (bytes) => {
      seen.inputBytes += bytes;
      serving.onInput(seen.inputBytes);
    });
  });
}

/** As sshd does: the exit is told when the command ends, the channel is closed when its outputs are closed too. */
function follow(
  child: ReturnType<typeof spawn>,
  channel: ServerChannel,
  onInput: (bytes: number) => void,
): void {
  const { stdin, stdout, stderr } = child;
  if (stdin === null || stdout === null || stderr === null) throw new Error('a command without pipes');
  stdin.on('error', () => undefined);
  channel.on('error', () => undefined);
  channel.on('data', (chunk: Buffer) => {
    onInput(chunk.length);
  });
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  channel.once('close', () => {
    for (const stream of [stdin, stdout, stderr]) stream.destroy();
  });
  child.once('exit', (code, signal) => {
    if (code === null) channel.exit((signal ?? '').replace(/^SIG/, ''), false, '');
    else channel.exit(code);
  });
  child.once('close', () => {
    channel.end();
  });
}

function signalGroup(child: ChildProcess, name: NodeJS.Signals): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, name);
  } catch {
    // The whole group has ended by itself.
  }
}
