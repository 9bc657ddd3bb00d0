/**
 * A lock on a lab's name, held by whoever makes its folder or removes it: a sweep that has found a dead lab must not
 * remove the one that took its name meanwhile. The kernel gives it back when its holder ends, however that ends.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:net';
import type { LabNames } from './names.ts';
import { until } from './run.ts';

/** Do something while nobody else on this machine makes or removes the lab of that name. Not to be nested. */
export async function whileLocked<T>(names: LabNames, work: () => Promise<T>): Promise<T> {
  // A tear-down may wait for several things in turn, each with a limit of its own.
  const lock = await until(`the lock of the lab ${names.name}`, () => take(names), { seconds: 180 });
  try {
    return await work();
  } finally {
    lock.close();
    await once(lock, 'close');
  }
}

/** Listen on an abstract socket, which only one can and which leaves no file. */
async function take(names: LabNames): Promise<Server | undefined> {
  const server = createServer((socket) => socket.destroy()).listen(`\0windlass-lab-lock-${names.name}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
