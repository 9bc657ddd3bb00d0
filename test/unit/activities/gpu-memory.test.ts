import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { gpuMemoryFree } from '../../../activities/gpu-memory.ts';
import { inActivity } from './in-activity.ts';

const path = process.env['PATH'] ?? '';
let folder = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-gpu-'));
  process.env['PATH'] = `${folder}${delimiter}${path}`;
});

afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

/** A driver that counts memory to these pids, the first time or every time that it is asked. */
async function driver(pids: readonly number[], how: 'once' | 'always'): Promise<void> {
  const lines = pids.map((pid) => `echo ' ${pid}'`);
  const asked = join(folder, 'asked');
  const script = [
    '#!/bin/sh',
    ...(how === 'once' ? [`[ ! -e ${asked} ] || exit 0`] : []),
    `echo asked >> ${asked}`,
    ...lines,
  ];
  await writeFile(join(folder, 'nvidia-smi'), `${script.join('\n')}\n`, { mode: 0o755 });
}

// Beyond the highest number that Linux gives to a process.
const gone = 2 ** 22 + 1;
const free = (limitMs?: number) => inActivity(() => gpuMemoryFree([gone, process.pid], limitMs));

test('memory that the driver frees a moment later is waited for', async () => {
  await driver([gone], 'once');
  await free();
  expect(await readFile(join(folder, 'asked'), 'utf8')).toBe('asked\n');
});

test('memory that a process has left behind is no free memory', async () => {
  await driver([gone, 1], 'always');
  await expect(free(0)).rejects.toMatchObject({
    code: 'STOP_FAILED',
    message: `memory on the GPU of pid ${gone} is still there after the stop: the process has ended, and its driver has not freed it`,
  });
});

test('the number of one that has ended may be another’s by now, and others may hold what they want', async () => {
  await driver([process.pid, 1], 'always');
  await free(0);
});

test('a machine whose driver says nothing is believed', async () => {
  await free(0);
  await writeFile(join(folder, 'nvidia-smi'), '#!/bin/sh\necho "NVIDIA-SMI has failed"\nexit 9\n', {
    mode: 0o755,
  });
  await free(0);
});
