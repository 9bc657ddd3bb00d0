/** The last result of each fault, kept in the repository, from which docs/faults.md is written. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../lab/stage.ts';
import type { Fault } from './fault.ts';
import { titleOf } from './fault.ts';
import type { Verdict } from './run-fault.ts';

export interface Result {
  readonly verdict: 'ok' | 'failed';
  readonly date: string;
  readonly seconds: number;
}

const path = join(repository, 'test/faults/results.json');

/** The last result of each fault, by its title. */
export async function keptResults(): Promise<Record<string, Result>> {
  return JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, Result>;
}

let before: Promise<void> = Promise.resolve();

/** Note how a fault ended; one whose scene was broken says nothing of the product. Several labs may do so at once. */
export async function record(fault: Fault, verdict: Verdict): Promise<void> {
  if (verdict.sceneBroken !== undefined && verdict.problems.length === 0) return;
  before = before.then(() => write(fault, verdict));
  await before;
}

async function write(fault: Fault, { problems, seconds }: Verdict): Promise<void> {
  const results = await keptResults();
  results[titleOf(fault)] = {
    verdict: problems.length === 0 ? 'ok' : 'failed',
    date: new Date().toISOString().slice(0, 10),
    seconds: Math.round(seconds * 10) / 10,
  };
  const sorted = Object.fromEntries(Object.entries(results).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  await writeFile(path, `${JSON.stringify(sorted, null, 2)}\n`);
}
