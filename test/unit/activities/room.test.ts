import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { demandRoom } from '../../../activities/room.ts';

test('a file system without space is full, also for a folder that is not made yet', async () => {
  // No file can be written to this one, and it says so in the way of every full disk.
  await expect(demandRoom('/proc/nowhere/envs')).rejects.toMatchObject({
    code: 'DISK_FULL',
    message: 'no space left for /proc (0 B free)',
  });
});

test('one with space is not', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'windlass-room-'));
  try {
    await demandRoom(join(folder, 'not/yet/there'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
