/** An `nvidia-smi` of a test's own, before any other on PATH. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

/** Beyond the highest number that Linux gives to a process. */
export const ended = 2 ** 22 + 1;

/** A driver that runs these lines of shell. */
export async function driver(lines: readonly string[]) {
  const path = process.env['PATH'] ?? '';
  const folder = await mkdtemp(join(tmpdir(), 'windlass-gpu-'));
  const asked = join(folder, 'asked');
  const script = ['#!/bin/sh', `echo >> ${asked}`, ...lines];
  await writeFile(join(folder, 'nvidia-smi'), `${script.join('\n')}\n`, { mode: 0o755 });
  process.env['PATH'] = `${folder}${delimiter}${path}`;
  return {
    timesAsked: async () => (await readFile(asked, 'utf8').catch(() => '')).length,
    remove: async () => {
      process.env['PATH'] = path;
      await rm(folder, { recursive: true });
    },
  };
}

/** A driver that counts memory to these pids; after the first answer no more, unless it `insists`. */
export const driverThatTells = (pids: readonly number[], { insists = false } = {}) =>
  driver([
    ...(insists ? [] : ['[ "$(wc -l < "$(dirname "$0")/asked")" -le 1 ] || exit 0']),
    ...pids.map((pid) => `echo ' ${pid}'`),
  ]);
