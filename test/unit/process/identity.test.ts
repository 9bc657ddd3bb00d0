import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { expect, test } from '@jest/globals';
import { lives, bootIdOfMachine } from '../../../src/process/identity.ts';
import { identified, sleeper } from '../../support/sleeper.ts';

test('a process lives until it has ended', async () => {
  const { child, identity } = await sleeper();
  expect(lives(identity)).toBe(true);
  child.kill('SIGKILL');
  await once(child, 'exit');
  expect(lives(identity)).toBe(false);
});

test('one that has ended and whose parent has not asked is not alive', async () => {
  // The shell becomes `sleep`, which never asks after the child that it inherits.
  const parent = spawn('sh', ['-c', 'sleep 60 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    const [line] = (await once(parent.stdout, 'data')) as [Buffer];
    const pid = Number(line.toString());
    const identity = await identified(pid);
    expect(lives(identity)).toBe(true);
    process.kill(pid, 'SIGKILL');
    const state = async () => /^State:\t(.)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];
    while ((await state()) !== 'Z') await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lives(identity)).toBe(false);
  } finally {
    parent.kill('SIGKILL');
  }
});

test('a pid that another process has now, and one that was noted before the last boot, are not meant', async () => {
  const own = await identified(process.pid);
  expect(own.bootId).toMatch(/^[0-9a-f-]{36}$/);
  expect(lives(own)).toBe(true);
  expect(lives({ ...own, startTicks: own.startTicks - 1 })).toBe(false);
  expect(lives({ ...own, bootId: '00000000-0000-0000-0000-000000000000' })).toBe(false);
  expect(bootIdOfMachine()).toBe(own.bootId);
});

test('a name that looks like the fields behind it does not mislead', async () => {
  const child = spawn('perl', ['-e', '$| = 1; $0 = "x) Z 1 2 (y"; print "named\n"; sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  try {
    await once(child.stdout, 'data');
    expect(lives(await identified(child.pid ?? 0))).toBe(true);
  } finally {
    child.kill('SIGKILL');
  }
});
