/**
 * A real sshd on loopback, run by the test as the current user on a port of its own, with keys of its own. Its log
 * tells what really reached it.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type AddressInfo, type Server, Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Command } from '../../src/process/command.ts';
import { run, type RunOptions } from '../../src/process/run.ts';
import type { SshTarget } from '../../src/ssh/config.ts';

export interface Sshd {
  readonly port: number;
  /** A folder for the test's files; removed by `stop`. */
  readonly folder: string;
  /** The user's private key, which the server accepts. */
  readonly userKey: string;
  /** The server's public host keys, as lines of the form `type base64`. */
  readonly hostKeys: readonly string[];
  readonly pid: number;
  /** What the server has logged so far. */
  log(): string;
  /** A target that reaches it as the current user; `known` writes its keys into a known_hosts file. */
  target(changes?: Partial<SshTarget> & { readonly known?: boolean }): Promise<SshTarget>;
  stop(): Promise<void>;
}

export interface SshdOptions {
  /** Host key types, in the server's order. */
  readonly hostKeyTypes?: readonly ('ed25519' | 'ecdsa' | 'rsa')[];
  /** More lines of sshd_config. */
  readonly config?: readonly string[];
  /** Listen on this port; a free one unless told. */
  readonly port?: number;
}

const PROGRAM = '/usr/sbin/sshd';

/** Start an sshd and wait until it answers. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  await installSshd();
  const { hostKeyTypes = ['ed25519'], config = [], port = await freePort() } = options;
  const folder = await mkdtemp(join(tmpdir(), 'windlass-sshd-'));
  const userKey = join(folder, 'id_test');
  await makeKey(userKey, 'ed25519');
  const hostKeyFiles = hostKeyTypes.map((type) => join(folder, `host_${type}`));
  await Promise.all(hostKeyTypes.map((type) => makeKey(join(folder, `host_${type}`), type)));
  await writeFile(join(folder, 'authorized_keys'), await readFile(`${userKey}.pub`));
  const configFile = join(folder, 'sshd_config');
  await writeFile(configFile, sshdConfig({ folder, port, hostKeyFiles, config }));

  const child = spawn(PROGRAM, ['-D', '-e', '-f', configFile], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  child.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  await answers(port, child, () => log);
  const publicLines = await Promise.all(hostKeyFiles.map((file) => readFile(`${file}.pub`, 'utf8')));
  const hostKeys = publicLines.map((line) => line.trim().split(' ').slice(0, 2).join(' '));
  return {
    port,
    folder,
    userKey,
    hostKeys,
    pid: child.pid ?? 0,
    log: () => log,
    target: async ({ known = true, ...changes } = {}) => {
      const file = join(folder, known ? 'known_hosts' : 'known_nobody');
      await writeFile(file, known ? hostKeys.map((key) => `[127.0.0.1]:${port} ${key}\n`).join('') : '');
      return { ...plainTarget(port, userKey, file), ...changes };
    },
    stop: async () => {
      await stopChild(child);
      await leaveRunFolder();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A target on loopback that uses one key file and one known_hosts file, and nothing of the user's own. */
export function plainTarget(port: number, keyFile: string, knownHostsFile: string): SshTarget {
  return {
    name: 'loopback',
    host: '127.0.0.1',
    port,
    user: userInfo().username,
    identityFiles: [{ path: keyFile, isNamed: true }],
    identitiesOnly: true,
    knownHostsFiles: [knownHostsFile],
    jumps: [],
  };
}

/** Make a key pair without a passphrase unless one is given. */
export async function makeKey(path: string, type: string, passphrase = ''): Promise<void> {
  const size = type === 'rsa' ? ['-b', '2048'] : [];
  await runOk({
    file: 'ssh-keygen',
    args: ['-q', '-t', type, ...size, '-N', passphrase, '-C', 'test', '-f', path],
  });
}

/** A port on 127.0.0.1 that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listen(server);
  await closeServer(server);
  return port;
}

/** Listen on 127.0.0.1, on a port that the system chooses unless one is given. */
export async function listen(server: Server, port = 0): Promise<number> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(port, '127.0.0.1', resolve);
  });
  return (server.address() as AddressInfo).port;
}

/** Stop listening; resolves when the last connection has ended. */
export async function closeServer(server: Server): Promise<void> {
  await new Promise((resolve) => server.close(resolve));
}

/** Wait until a condition holds; the message says what was waited for. */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  withinMs = 10_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function runOk(command: Command, options?: RunOptions): Promise<void> {
  const { exitCode, stderr } = await run(command, options);
  if (exitCode !== 0) throw new Error(`${command.file} ended with ${exitCode ?? 'no exit code'}: ${stderr}`);
}

async function installSshd(): Promise<void> {
  if (existsSync(PROGRAM)) {
    await makeRunFolder();
    return;
  }
  if (process.getuid?.() !== 0) {
    throw new Error(
      `These tests start their own sshd: install the package openssh-server (${PROGRAM} is missing).`,
    );
  }
  console.log('Installing the package openssh-server: these tests start their own sshd.');
  const env = { DEBIAN_FRONTEND: 'noninteractive' };
  const args = ['install', '-y', '--no-install-recommends', 'openssh-server'];
  await runOk({ file: 'apt-get', args: ['update'], env }, { timeoutMs: 300_000 });
  await runOk({ file: 'apt-get', args, env }, { timeoutMs: 300_000 });
  await makeRunFolder();
}

// As root, sshd wants this folder, which only its own service makes.
const RUN_FOLDER = '/run/sshd';
let madeRunFolder = false;
let running = 0;

async function makeRunFolder(): Promise<void> {
  running += 1;
  if (process.getuid?.() !== 0 || existsSync(RUN_FOLDER)) return;
  await mkdir(RUN_FOLDER, { mode: 0o755 });
  madeRunFolder = true;
}

async function leaveRunFolder(): Promise<void> {
  running -= 1;
  if (running > 0 || !madeRunFolder) return;
  await rm(RUN_FOLDER, { recursive: true, force: true });
  madeRunFolder = false;
}

interface ConfigParts {
  readonly folder: string;
  readonly port: number;
  readonly hostKeyFiles: readonly string[];
  readonly config: readonly string[];
}

const sshdConfig = ({ folder, port, hostKeyFiles, config }: ConfigParts): string =>
  [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    ...hostKeyFiles.map((file) => `HostKey ${file}`),
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile ${join(folder, 'sshd.pid')}`,
    'UsePAM no',
    'StrictModes no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'LogLevel VERBOSE',
    ...config,
    '',
  ].join('\n');

async function answers(port: number, child: ChildProcess, log: () => string): Promise<void> {
  await until(`sshd answers (${log()})`, async () => {
    if (child.exitCode !== null) throw new Error(`sshd ended: ${log()}`);
    return canConnect(port);
  });
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = new Socket();
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
    socket.connect(port, '127.0.0.1');
  });
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
