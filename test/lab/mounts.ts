/** Reads and undoes mounts of this machine by where they lie. */
import { readFile } from 'node:fs/promises';
import { run, until } from './run.ts';

/** Read the mount points in a folder and the folder itself, deepest first. */
export async function readMountsBelow(folder: string): Promise<string[]> {
  const lines = (await readFile('/proc/mounts', 'utf8')).split('\n');
  return lines
    .map((line) => line.split(' ')[1] ?? '')
    .filter((point) => point === folder || point.startsWith(`${folder}/`))
    .toReversed();
}

/** Unmount everything in a folder; a mount that a process just now gives up is waited for. */
export async function unmountBelow(folder: string): Promise<void> {
  await until(`mounts below ${folder} can be undone`, async () => {
    const points = await readMountsBelow(folder);
    for (const point of points) await run('umount', [point]).catch(() => undefined);
    return (await readMountsBelow(folder)).length === 0;
  });
}
