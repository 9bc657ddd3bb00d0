/** What a run left in its history at the home: read with the Temporal binary of the head, through ssh. */
import type { Rig } from './rig.ts';
import { headName } from './rig.ts';

export interface HistoryEvent {
  readonly eventType: string;
  readonly activityTaskScheduledEventAttributes?: { readonly activityType?: { readonly name?: string } };
  readonly activityTaskCompletedEventAttributes?: {
    readonly result?: unknown;
  };
}

export interface RunHistory {
  readonly events: number;
  /** Activities by type. */
  readonly activities: Readonly<Record<string, number>>;
  /** Activities whose answer says that they changed the node. */
  readonly changing: number;
  readonly children: number;
}

/** Read the history of one run of the cluster's workflow. */
export async function readHistory(rig: Rig, run: string): Promise<RunHistory> {
  const { stdout } = await rig.time('ssh', [
    headName,
    `.local/share/windlass/workers/current/bin/temporal workflow show -w cluster/lab -r ${run} --namespace windlass -o json`,
  ]);
  return summarize((JSON.parse(stdout) as { events: HistoryEvent[] }).events);
}

/** Count what a history holds. Pure. */
export function summarize(events: readonly HistoryEvent[]): RunHistory {
  const activities: Record<string, number> = {};
  for (const event of events) {
    const name = event.activityTaskScheduledEventAttributes?.activityType?.name;
    if (name !== undefined) activities[name] = (activities[name] ?? 0) + 1;
  }
  const answers = events.flatMap((event) => event.activityTaskCompletedEventAttributes?.result ?? []);
  return {
    events: events.length,
    activities,
    changing: answers.filter(saysChanged).length,
    children: events.filter((event) => event.eventType.includes('CHILD_WORKFLOW_EXECUTION_INITIATED')).length,
  };
}

/** An answer stands in the history as JSON, plain or in base64, as the binary shows payloads. */
function saysChanged(result: unknown): boolean {
  const text = JSON.stringify(result);
  const decoded = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
    Buffer.from(data, 'base64').toString('utf8'),
  );
  return [text, ...decoded].some((each) => /"changed":\s*true/.test(each));
}
