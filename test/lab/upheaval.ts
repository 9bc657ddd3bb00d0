/** The scene of the durability tests: a bring-up that is disturbed, and the nodes' own ledgers as its judge. */
import { expect } from '@jest/globals';
import type { BringUpReport } from '../../src/cluster/report.ts';
import type { Host } from './host.ts';
import { doneTwice, killUnit, readLedger, timesBegun, unitPids } from './ledger.ts';
import { until } from './run.ts';
import type { Stage } from './stage.ts';

export const file = 'examples/lab.yaml';
export type Running = ReturnType<Stage['start']>;

/**
 * Wait until something is seen on the hosts while `up` runs; the longest act here takes under two minutes. Throws with
 * all that is known of the run when `up` ends before, or when the time is over.
 */
export async function seen(
  stage: Stage,
  run: Running,
  what: string,
  look: () => Promise<boolean>,
): Promise<void> {
  const looking = until(what, look, { seconds: 180, everyMs: 200 });
  const isSeen = await Promise.race([looking.then(() => true), run.then(() => false)]).catch(() => false);
  if (isSeen) return;
  const status = await stage.windlass(['status', file, '--json']);
  const ledgers = await Promise.all(
    stage.lab.hosts.map(async (host) => `${host.name} ${JSON.stringify(await readLedger(host))}`),
  );
  run.kill('SIGINT');
  const { exitCode, stdout, stderr } = await run;
  const up = `up ended with ${String(exitCode)} before: ${what}\n${String(stdout)}\n${String(stderr)}`;
  throw new Error([up, status.stdout, status.stderr, ...ledgers].join('\n'));
}

/** Whether something is true on every host. */
export async function everywhere(stage: Stage, look: (host: Host) => Promise<boolean>): Promise<boolean> {
  return (await Promise.all(stage.lab.hosts.map(look))).every(Boolean);
}

export const begun = (step: string) => (host: Host) => timesBegun(host, step).then((times) => times > 0);

/** The unit of an act, with the pid of its main process: it must survive whoever asked for it. */
export async function actPids(stage: Stage, pattern: RegExp): Promise<string[]> {
  const units = await Promise.all(stage.lab.hosts.map((host) => unitPids(host)));
  return units.flatMap((each) =>
    Object.entries(each)
      .filter(([name]) => pattern.test(name))
      .map(([name, pid]) => `${name} ${pid}`),
  );
}

/** Kill control worker, Temporal and every node worker at once. */
export async function killWorkers(stage: Stage, head: Host): Promise<void> {
  await killUnit(head, 'windlass-control');
  await killUnit(head, 'windlass-temporal');
  await Promise.all(stage.lab.hosts.map((host) => killUnit(host, 'windlass-node')));
}

/** Every change on every node belongs to the one run that `up` reports, and no act that had ended well was begun again. */
export async function judgeLedgers(stage: Stage, stdout: unknown): Promise<void> {
  const { run } = JSON.parse(String(stdout)) as BringUpReport;
  for (const host of stage.lab.hosts) {
    const lines = await readLedger(host);
    expect([...new Set(lines.map((line) => line.run))]).toEqual([run]);
    expect(await doneTwice(host)).toEqual([]);
  }
}
