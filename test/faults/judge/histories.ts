/** Histories of the runs of a case, as the service holds them; I8: each replays on the workflows as they are now. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Host } from '../../lab/host.ts';
import { dist, root } from '../places.ts';

export interface StoredEvent {
  readonly eventType: string;
  readonly eventId: string;
  readonly eventTime: string;
  readonly activityTaskScheduledEventAttributes?: { readonly activityId: string };
  readonly activityTaskStartedEventAttributes?: {
    readonly scheduledEventId: string;
    readonly attempt: number;
  };
  readonly childWorkflowExecutionStartedEventAttributes?: {
    readonly workflowExecution: { readonly runId: string };
  };
  readonly activityTaskFailedEventAttributes?: { readonly scheduledEventId: string };
  readonly activityTaskCompletedEventAttributes?: {
    readonly scheduledEventId: string;
    readonly result?: { readonly payloads: readonly { readonly data: string }[] };
  };
}

export interface StoredHistory {
  readonly workflowId: string;
  readonly run: string;
  readonly events: readonly StoredEvent[];
}

interface Listed {
  readonly execution: { readonly workflowId: string; readonly runId: string };
  readonly startTime: string;
}

/** Ask the service about workflows by its own program, on the host where it runs. */
export async function ask(head: Host, ...args: string[]): Promise<unknown> {
  const argv = [`${root}/workers/current/bin/temporal`, 'workflow', ...args, '--namespace', 'windlass'];
  const { stdout } = await head.exec([...argv, '-o', 'json'], { maxBuffer: 2 ** 28 });
  return JSON.parse(stdout);
}

export interface Pending {
  readonly activityId: string;
  readonly attempt?: number;
  readonly lastStartedTime?: string;
  /** When the next attempt is due, while it waits for a worker. */
  readonly scheduledTime?: string;
}

/** Read the open activities of all runs under way. */
export async function readPending(head: Host): Promise<Pending[]> {
  const running = (await ask(head, 'list', '--query', "ExecutionStatus='Running'")) as Listed[];
  const described = await Promise.all(
    running.map(async ({ execution }) => ask(head, 'describe', '-w', execution.workflowId)),
  );
  return described.flatMap((each) => (each as { pendingActivities?: Pending[] }).pendingActivities ?? []);
}

/** Read the histories of all runs that began since a moment. */
export async function readHistories(head: Host, since: number): Promise<StoredHistory[]> {
  const listed = (await ask(head, 'list')) as Listed[];
  const histories: StoredHistory[] = [];
  for (const { execution, startTime } of listed) {
    // The service's clock is the machine's own.
    if (Date.parse(startTime) < since) continue;
    const { workflowId, runId } = execution;
    const shown = (await ask(head, 'show', '-w', workflowId, '-r', runId)) as { events: StoredEvent[] };
    histories.push({ workflowId, run: runId, events: shown.events });
  }
  return histories;
}

/** What an activity returned each time it was completed, by its id, over all histories. */
export function resultsOf(histories: readonly StoredHistory[], activityId: string): unknown[] {
  return histories.flatMap(({ events }) => {
    const scheduled = new Map(
      events.map((event) => [event.eventId, event.activityTaskScheduledEventAttributes?.activityId]),
    );
    return events.flatMap(({ activityTaskCompletedEventAttributes: completed }) => {
      if (!completed || scheduled.get(completed.scheduledEventId) !== activityId) return [];
      const data = completed.result?.payloads[0]?.data;
      return [data === undefined ? null : (JSON.parse(Buffer.from(data, 'base64').toString()) as unknown)];
    });
  });
}

let isInstalled = false;

/** Sentences about each history that does not replay. */
export async function notReplayable(histories: readonly StoredHistory[]): Promise<string[]> {
  if (histories.length === 0) return [];
  // Its native part is not needed to read the tables.
  const { DefaultLogger, Runtime, Worker } = await import('@temporalio/worker');
  if (!isInstalled)
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
    });
  isInstalled = true;
  const codePath = join(dist, 'workflow-bundle.cjs');
  await readFile(codePath);
  const replays = Worker.runReplayHistories(
    { workflowBundle: { codePath } },
    histories.map(({ workflowId, events }) => ({ workflowId, history: { events } })),
  );
  const sentences: string[] = [];
  const ids = histories.map(({ workflowId }) => workflowId).values();
  for await (const { error } of replays) {
    const id = ids.next().value ?? '';
    if (error) sentences.push(`I8: ${id} does not replay: ${error.message}`);
  }
  return sentences;
}
