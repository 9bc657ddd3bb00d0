/**
 * Notes the token of each task before it is acted on. A worker that was killed cannot answer its task, and the service
 * would notice only when the heartbeat time-out has passed; its successor fails those tasks at its start instead, so
 * that the next attempt begins at once.
 */
import { mkdir, readFile, readdir, rm } from 'node:fs/promises';
import type { ActivityInboundCallsInterceptor, NativeConnection } from '@temporalio/worker';
import type { Context } from '@temporalio/activity';
import { msToTs } from '@temporalio/common/lib/time.js';
import { writeFileAtomic } from '../src/process/files.ts';

/** Keep the token of a running task in a file for as long as the task runs. */
export function noteTokens(folder: string) {
  return (context: Context): { inbound: ActivityInboundCallsInterceptor } => ({
    inbound: {
      async execute(input, next) {
        const { base64TaskToken, activityId, workflowExecution } = context.info;
        const path = `${folder}/${workflowExecution?.runId ?? 'none'}-${activityId}-${context.info.attempt}`;
        // Without a note a death is noticed later; a disk that takes none must not keep the act from saying so itself.
        await writeFileAtomic(path, base64TaskToken, { mode: 0o600 }).catch(() => undefined);
        try {
          return await next(input);
        } finally {
          await rm(path, { force: true }).catch(() => undefined);
        }
      },
    },
  });
}

/** The pause of the policy is for an act that kills its worker again and again. */
const atOnce = msToTs(1);

/** Fail the tasks that the last process left; a task that another attempt took meanwhile is no longer known. */
export async function failLeftTasks(
  folder: string,
  connection: NativeConnection,
  namespace: string,
): Promise<number> {
  await mkdir(folder, { recursive: true, mode: 0o700 }).catch(() => undefined);
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const token = await readFile(`${folder}/${name}`, 'utf8').catch(() => null);
    if (token === null) continue;
    await connection.workflowService
      .respondActivityTaskFailed({
        namespace,
        taskToken: Buffer.from(token, 'base64'),
        failure: {
          message: 'the node worker was restarted',
          source: 'windlass',
          applicationFailureInfo: {
            type: 'NODE_WORKER_RESTARTED',
            nonRetryable: false,
            ...(name.endsWith('-1') && { nextRetryDelay: atOnce }),
          },
        },
      })
      .catch(() => undefined);
    // A disk that can only be read: the acts say so themselves, and a token that is told twice is not known any more.
    await rm(`${folder}/${name}`, { force: true }).catch(() => undefined);
  }
  return names.length;
}
