/** Starts a lab's keeper and asks it to start processes. */
import { spawn } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { labFile, repositoryRoot, type LabNames } from './names.ts';
import { readProcessId, type ProcessId } from './processes.ts';
import { until } from './run.ts';

/** A program that the keeper shall start; `output` is the file that gets what it prints. */
export interface StartRequest {
  readonly file: string;
  readonly args: readonly string[];
  readonly output: string;
}

/**
 * Start the keeper of a lab and wait until it answers. An owned lab is taken down when this process ends; one that
 * is not owned stays until it is taken down.
 */
export async function startKeeper(names: LabNames, { owned }: { owned: boolean }): Promise<ProcessId> {
  const log = openSync(names.keeperLog, 'a');
  const args = ['--import', 'tsx', labFile('keeper.ts'), names.name, ...(owned ? ['--owned'] : [])];
  const child = spawn(process.execPath, args, {
    cwd: repositoryRoot,
    detached: true,
    stdio: [owned ? 'pipe' : 'ignore', log, log],
  });
  closeSync(log);
  // The pipe must stay open as long as this process lives, and must not keep it alive.
  child.unref();
  if (child.stdin && 'unref' in child.stdin && typeof child.stdin.unref === 'function') child.stdin.unref();
  const { pid } = child;
  if (pid === undefined) throw new Error(`the lab's keeper could not be started: ${process.execPath}`);
  return until('the lab keeper listens', async () => {
    const id = await readProcessId(pid);
    if (!id) throw new Error(`the lab's keeper ended at once: ${await readFile(names.keeperLog, 'utf8')}`);
    return (await listens(names.keeperSocket)) ? id : undefined;
  });
}

/** Have the keeper start a program and return its pid; the program is the leader of a session of its own. */
export async function startKept(names: LabNames, request: StartRequest): Promise<number> {
  const socket = connect({ path: names.keeperSocket, allowHalfOpen: true });
  socket.end(JSON.stringify(request));
  const reply = JSON.parse(await text(socket)) as { pid: number } | { error: string };
  if ('error' in reply) throw new Error(`the lab's keeper could not start ${request.file}: ${reply.error}`);
  return reply.pid;
}

async function listens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => {
      resolve(false);
    });
  });
}
