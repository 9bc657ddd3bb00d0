/**
 * The determinism gate: every stored history of every release replays on the workflows as they are now. Histories are
 * added with each release and outcome, and never edited.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { workflowBundle } from '../support/temporal.ts';

const folder = join(import.meta.dirname, 'histories');
const histories = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((path) =>
  path.endsWith('.json'),
);

interface StoredEvent {
  readonly eventType: string;
  readonly workflowExecutionStartedEventAttributes?: { readonly workflowId: string };
  activityTaskScheduledEventAttributes?: { activityType: { name: string } };
}
interface StoredHistory {
  readonly events: StoredEvent[];
}
const read = (path: string) => JSON.parse(readFileSync(join(folder, path), 'utf8')) as StoredHistory;

/** The history in which two steps stand in the other order. */
const swapped = 'two steps swapped';

function swap(history: StoredHistory): StoredHistory {
  const typeOf = (name: string) => {
    const types = history.events.map((event) => event.activityTaskScheduledEventAttributes?.activityType);
    const found = types.find((type) => type?.name === name);
    if (!found) throw new Error(`the history holds no ${name}`);
    return found;
  };
  const [launch, ready] = [typeOf('launchServer'), typeOf('confirmReady')];
  [launch.name, ready.name] = [ready.name, launch.name];
  return history;
}

/** What the replay of each history answered, by its path; undefined is well. */
const errors = new Map<string, Error | undefined>();

beforeAll(async () => {
  Runtime.install({
    logger: new DefaultLogger('ERROR'),
    telemetryOptions: { logging: { filter: 'ERROR', forward: {} } },
  });
  const all = [
    ...histories.map((path) => ({ path, history: read(path) })),
    { path: swapped, history: swap(read('0.1.0/done.json')) },
  ];
  // Under its own id: a bring-up under any other would be handed over. One worker for all: between two workers the
  // native runtime ends for want of users, and the next one may still get it.
  const replays = Worker.runReplayHistories(
    { workflowBundle: workflowBundle() },
    all.map(({ history }) => ({
      history,
      workflowId: history.events[0]?.workflowExecutionStartedEventAttributes?.workflowId ?? '',
    })),
  );
  const paths = all.map(({ path }) => path).values();
  for await (const { error } of replays) errors.set(paths.next().value ?? '', error);
}, 60_000);

describe('stored histories', () => {
  test('there are some of this release', () => {
    expect(histories.length).toBeGreaterThanOrEqual(4);
  });

  test.each(histories)('%s replays', (path) => {
    expect(errors.has(path)).toBe(true);
    expect(errors.get(path)).toBeUndefined();
  });

  test('none of them tells on which machine it was recorded', () => {
    for (const path of histories)
      expect(readFileSync(join(folder, path), 'utf8')).not.toMatch(/"[0-9]+@[^"]+"/);
  });

  test('one in which two steps stand in the other order does not', () => {
    expect(errors.get(swapped)?.message).toMatch(/Nondeterminism/);
  });
});
