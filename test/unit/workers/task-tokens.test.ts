import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import type { NativeConnection } from '@temporalio/worker';
import { failLeftTasks, noteTokens } from '../../../workers/task-tokens.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-tokens-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Run an act as the SDK does, behind the note of its token. */
async function execute(into: string, act: () => Promise<unknown>): Promise<unknown> {
  const info = {
    base64TaskToken: 'dG9rZW4=',
    activityId: 'observe@a',
    attempt: 1,
    workflowExecution: { workflowId: 'w', runId: 'r' },
  };
  const { inbound } = noteTokens(into)({ info } as unknown as Context);
  return inbound.execute?.({ args: [], headers: {} }, act);
}

test('the token of a task lies there while the task runs', async () => {
  const seen = await execute(folder, async () => {
    const [name = ''] = await readdir(folder);
    return [name, await readFile(join(folder, name), 'utf8')];
  });
  expect(seen).toEqual(['r-observe@a-1', 'dG9rZW4=']);
  expect(await readdir(folder)).toEqual([]);
});

test('an act runs although nothing can be written, and says itself what is wrong', async () => {
  expect(await execute('/proc/none', () => Promise.resolve('done'))).toBe('done');
  const full = new Error('DISK_FULL');
  await expect(execute('/proc/none', () => Promise.reject(full))).rejects.toBe(full);
});

test('a note that cannot be read, or a folder that cannot be made, does not keep the worker from its start', async () => {
  const nobody = {} as NativeConnection;
  await mkdir(join(folder, 'r-observe@a-1'));
  expect(await failLeftTasks(folder, nobody, 'windlass')).toBe(1);
  expect(await failLeftTasks('/dev/null/none', nobody, 'windlass')).toBe(0);
});
