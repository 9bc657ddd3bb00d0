import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { ProcessIdentity } from '../../../src/process/identity.ts';
import { waitForEnd } from '../../../src/process/wait-for-end.ts';
import { until } from '../../lab/run.ts';
import { sleeper } from '../../support/sleeper.ts';

const script = fileURLToPath(new URL('../../../activities/scripts/wait_for_end.py', import.meta.url));

let child: ChildProcess;
let identity: ProcessIdentity;
beforeEach(async () => {
  ({ child, identity } = await sleeper());
});
afterEach(() => {
  child.kill('SIGKILL');
});

const wait = (signal = new AbortController().signal) => waitForEnd(script, [identity], signal);

/** Does somebody wait for it, and has taken it from the kernel? */
async function isWaitedFor(): Promise<boolean> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')),
  );
  return lines.some((line) => line.endsWith(`wait_for_end.py\0${identity.pid}\0`));
}

test('the end of a process is told, also where it ended before', async () => {
  const waiting = wait();
  await until('it is waited for', isWaitedFor);
  child.kill('SIGKILL');
  await waiting;
  await wait();
});

test('a process that has the pid of the one that is meant is not waited for', async () => {
  identity = { ...identity, startTicks: identity.startTicks - 1 };
  await wait();
  expect(child.exitCode).toBeNull();
});

test('nobody goes on waiting when the watch is over', async () => {
  const over = new AbortController();
  const waiting = wait(over.signal);
  await until('it is waited for', isWaitedFor);
  over.abort();
  await waiting;
  expect(await isWaitedFor()).toBe(false);
});

test('who waits ends with whoever asked', async () => {
  const waiter = spawn('python3', [script, String(identity.pid)], { stdio: ['pipe', 'pipe', 'inherit'] });
  await once(waiter.stdout, 'data');
  waiter.stdin.destroy();
  expect(await once(waiter, 'exit')).toEqual([0, null]);
});

test('nobody is waited for on a machine that cannot', async () => {
  await waitForEnd('/nowhere/wait_for_end.py', [identity], new AbortController().signal);
  const path = process.env['PATH'];
  process.env['PATH'] = '/nowhere';
  try {
    await wait();
  } finally {
    process.env['PATH'] = path;
  }
});
