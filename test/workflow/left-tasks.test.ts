/** Tasks that a node worker's death has left: its successor gives them back, and the real service decides what follows. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it, jest } from '@jest/globals';
import type { Context } from '@temporalio/activity';
import { Client } from '@temporalio/client';
import { msToTs } from '@temporalio/common/lib/time.js';
import { temporal } from '@temporalio/proto';
import { NativeConnection } from '@temporalio/worker';
import { failLeftTasks, noteTokens } from '../../workers/task-tokens.ts';
import type { ClosableConnection } from '../../src/temporal/closable.ts';
import { openConnection } from '../../src/temporal/closable.ts';
import { newNamespace, sharedAddress } from '../support/temporal.ts';

jest.setTimeout(60_000);

const taskQueue = { name: 'left' };
let folder: string;
let opened: ClosableConnection;
let native: NativeConnection;
let client: Client;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'windlass-left-'));
  opened = openConnection({ address: sharedAddress() });
  native = await NativeConnection.connect({ address: sharedAddress() });
  const namespace = await newNamespace(new Client({ connection: opened.connection }));
  client = new Client({ connection: opened.connection, namespace });
});

afterAll(async () => {
  await native.close();
  await opened.close();
  await rm(folder, { recursive: true, force: true });
});

/** The service holds a poll without a deadline for an error. */
const polled = <T>(poll: () => Promise<T>): Promise<T> => client.withDeadline(Date.now() + 20_000, poll);

/** A workflow with one activity that is tried again after an hour, by its policy. */
async function schedule(): Promise<string> {
  const { namespace } = client.options;
  const workflowId = 'left';
  await client.workflowService.startWorkflowExecution({
    namespace,
    workflowId,
    requestId: workflowId,
    workflowType: { name: 'left' },
    taskQueue,
  });
  const { taskToken } = await polled(() =>
    client.workflowService.pollWorkflowTaskQueue({ namespace, taskQueue }),
  );
  const activity = {
    activityId: 'install-wheels@thorx',
    activityType: { name: 'installWheels' },
    taskQueue,
    startToCloseTimeout: msToTs('1 day'),
    retryPolicy: { initialInterval: msToTs('1 hour') },
  };
  await client.workflowService.respondWorkflowTaskCompleted({
    namespace,
    taskToken,
    commands: [
      {
        commandType: temporal.api.enums.v1.CommandType.COMMAND_TYPE_SCHEDULE_ACTIVITY_TASK,
        scheduleActivityTaskCommandAttributes: activity,
      },
    ],
  });
  return workflowId;
}

/** Take the task as a node worker does that dies in the middle of it: it notes the token and never answers. */
async function takeAndDie(): Promise<number> {
  const { namespace } = client.options;
  const task = await polled(() => client.workflowService.pollActivityTaskQueue({ namespace, taskQueue }));
  const info = {
    base64TaskToken: Buffer.from(task.taskToken).toString('base64'),
    activityId: task.activityId,
    workflowExecution: task.workflowExecution,
    attempt: task.attempt,
  };
  const { execute } = noteTokens(folder)({ info } as Context).inbound;
  // What it returns never comes: the token is noted before the act begins, and the act does not end.
  await new Promise<void>((resolve) => {
    const act = async () => {
      resolve();
      return new Promise(() => undefined);
    };
    void execute?.({ args: [], headers: {} }, act);
  });
  return task.attempt;
}

const succeed = () => failLeftTasks(folder, native, client.options.namespace);

it('are begun again at once the first time, and then as their policy says', async () => {
  const workflowId = await schedule();
  expect(await takeAndDie()).toBe(1);
  expect(await succeed()).toBe(1);
  expect(await readdir(folder)).toEqual([]);
  expect(await takeAndDie()).toBe(2);
  expect(await succeed()).toBe(1);
  const { raw } = await client.workflow.getHandle(workflowId).describe();
  const [pending] = raw.pendingActivities ?? [];
  expect(pending).toMatchObject({ attempt: 3, lastFailure: { message: 'the node worker was restarted' } });
  expect(Number(pending?.scheduledTime?.seconds) * 1_000).toBeGreaterThan(Date.now() + 30 * 60_000);
});
