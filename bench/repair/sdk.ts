/** What a workflow of the SDK's defaults knows of a worker that was killed in an activity: a heartbeat that does not come. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { WorkflowHandle } from '@temporalio/client';
import { Client } from '@temporalio/client';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { openConnection } from '../../src/temporal/closable.ts';
import { until } from '../../test/lab/run.ts';
import { startTemporal } from '../../test/support/temporal.ts';
import { restartMs } from '../deaths/control-worker.ts';

const queue = 'plain';
/** Before a second attempt, where nothing else is said. */
const defaultPauseMs = 1_000;

type Pending = NonNullable<
  Awaited<ReturnType<WorkflowHandle['describe']>>['raw']['pendingActivities']
>[number];

export interface SdkDefaults {
  readonly noticedMs: number;
  readonly resumedMs: number;
}

/** Kill the worker in an activity with this heartbeat time-out and start it again as systemd would. */
export async function killPlainWorker(heartbeatTimeoutMs: number): Promise<SdkDefaults> {
  Runtime.install({ logger: new DefaultLogger('ERROR') });
  const server = await startTemporal();
  const { address } = server;
  const native = await NativeConnection.connect({ address });
  const opened = openConnection({ address });
  const client = new Client({ connection: opened.connection });
  const workflows = await Worker.create({
    connection: native,
    taskQueue: 'plain-workflows',
    workflowsPath: join(import.meta.dirname, '../temporal/workflows.ts'),
  });
  const running = workflows.run();
  let child = startWorker(address);
  try {
    const handle = await client.workflow.start('waitForLong', {
      workflowId: 'plain',
      taskQueue: 'plain-workflows',
      args: [{ taskQueue: queue, heartbeatTimeoutMs }],
    });
    const seen = async (what: string, of: (pending: Pending) => Time | null | undefined): Promise<number> =>
      until(
        what,
        async () => {
          const [pending] = (await handle.describe()).raw.pendingActivities ?? [];
          const time = pending && of(pending);
          return time ? msOf(time) : undefined;
        },
        { seconds: 60 + heartbeatTimeoutMs / 1_000, everyMs: 100 },
      );
    await seen('the activity beats', ({ lastHeartbeatTime }) => lastHeartbeatTime);
    const at = Date.now();
    await kill(child);
    await sleep(restartMs);
    child = startWorker(address);
    const due = await seen('a second attempt is due', ({ attempt, scheduledTime }) =>
      attempt === 2 ? scheduledTime : null,
    );
    const begun = await seen('a second attempt runs', ({ attempt, lastStartedTime }) =>
      attempt === 2 ? lastStartedTime : null,
    );
    const noticedAt = due - defaultPauseMs;
    return { noticedMs: noticedAt - at, resumedMs: begun - noticedAt };
  } finally {
    await kill(child);
    workflows.shutdown();
    await running;
    await native.close();
    await opened.close();
    await server.stop();
  }
}

function startWorker(address: string): ChildProcess {
  const program = join(import.meta.dirname, 'plain-worker.ts');
  return spawn(process.execPath, ['--import', 'tsx', program, address, queue], { stdio: 'ignore' });
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

interface Time {
  readonly seconds?: unknown;
  readonly nanos?: number | null;
}

const msOf = ({ seconds, nanos }: Time): number => Number(seconds ?? 0) * 1_000 + (nanos ?? 0) / 1e6;
