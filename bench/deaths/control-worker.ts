/** The built control worker as a process of its own, which can be killed and comes back as systemd would bring it. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { ownDistFolder } from '../../src/own-files.ts';
import { ownPlatform } from '../../src/placing/download/binary.ts';
import { ownParts } from '../../src/placing/payload/version.ts';
import { endChild } from '../../test/support/end-child.ts';

/** As the units of a home have it. */
export const restartMs = 100;

export interface ControlWorker {
  kill(): Promise<void>;
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ControlWorkerOptions {
  readonly address: string;
  readonly namespace: string;
  /** Leave the sticky window at the SDK's default, as a worker does for which nobody has measured it. */
  readonly hasDefaultWindow: boolean;
}

/** Lay out the program as placing does, and start it. */
export async function startControlWorker(options: ControlWorkerOptions): Promise<ControlWorker> {
  const folder = await mkdtemp(join(tmpdir(), 'windlass-bench-'));
  const platform = ownPlatform();
  if (!platform) throw new Error('there is no payload for this platform');
  const parts = await ownParts({
    platform,
    roles: ['node', 'home'],
    distDir: ownDistFolder(),
    environment: process.env,
  });
  for (const { path, source } of parts) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    // The program looks for its bundle beside itself, by its own path.
    await (path.endsWith('.js') ? copyFile(source, join(folder, path)) : symlink(source, join(folder, path)));
  }
  const program = join(folder, 'control-worker.js');
  if (options.hasDefaultWindow) await widenWindow(program);
  const settings = join(folder, 'control-worker.json');
  const { address, namespace } = options;
  await writeFile(settings, JSON.stringify({ address, namespace }));

  let child: ChildProcess | undefined;
  const start = (): Promise<void> => {
    child = spawn(process.execPath, [program, settings], { stdio: ['ignore', 'ignore', 'ignore'] });
    return Promise.resolve();
  };
  await start();
  return {
    start,
    kill: () => endChild(child, 'SIGKILL'),
    stop: async () => {
      await endChild(child, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function widenWindow(program: string): Promise<void> {
  const text = await readFile(program, 'utf8');
  const own = /stickyQueueScheduleToStartTimeout: "[^"]+"/;
  if (!own.test(text)) throw new Error('the control worker has no sticky window of its own');
  await writeFile(program, text.replace(own, 'stickyQueueScheduleToStartTimeout: "10 seconds"'));
}

/** Kill, and start again after the pause that systemd makes. Returns when the death was, in Unix time. */
export async function dieAndReturn(
  parts: readonly { readonly kill: () => Promise<void>; readonly start: () => Promise<void> }[],
): Promise<number> {
  const killedAt = Date.now();
  await Promise.all(parts.map((part) => part.kill()));
  await sleep(restartMs);
  await Promise.all(parts.map((part) => part.start()));
  return killedAt;
}
