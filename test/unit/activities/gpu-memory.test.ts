import { afterEach, expect, test } from '@jest/globals';
import { gpuMemoryFree } from '../../../activities/gpu-memory.ts';
import { driver, driverThatTells, ended } from './gpu-driver.ts';
import { inActivity } from './in-activity.ts';

let found: Awaited<ReturnType<typeof driver>> | null = null;
afterEach(async () => {
  await found?.remove();
  found = null;
});

const heartbeats: unknown[] = [];
const free = (limitMs?: number) =>
  inActivity(() => gpuMemoryFree([ended, process.pid], limitMs), { heartbeats });

test('memory that the driver frees a moment later is waited for, and the next attempt knows of which', async () => {
  found = await driverThatTells([ended]);
  await free();
  expect(await found.timesAsked()).toBe(2);
  expect(heartbeats.at(-1)).toMatchObject({ ended: [ended, process.pid] });
});

test('memory that a process has left behind is no free memory', async () => {
  found = await driverThatTells([ended, 1], { insists: true });
  await expect(free(0)).rejects.toMatchObject({
    code: 'STOP_FAILED',
    message: `memory on the GPU of pid ${ended} is still there after the stop: the process has ended, and its driver has not freed it`,
  });
});

test('the number of one that has ended may be another’s by now, and others may hold what they want', async () => {
  found = await driverThatTells([process.pid, 1], { insists: true });
  await free(0);
});

test('a machine whose driver says nothing is believed', async () => {
  await free(0);
  found = await driver(['echo "NVIDIA-SMI has failed"', 'exit 9']);
  await free(0);
});

test('where nothing was stopped the driver is not asked', async () => {
  found = await driverThatTells([ended]);
  await inActivity(() => gpuMemoryFree([]));
  expect(await found.timesAsked()).toBe(0);
});
