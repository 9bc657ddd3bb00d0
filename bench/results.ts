/** The last kept record of each benchmark, from which docs/benchmarks.md is written. */
import { readFile, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { repository } from '../test/lab/stage.ts';
import type { BenchRecord } from './record.ts';

export interface Kept {
  readonly date: string;
  readonly form: 'short' | 'long';
  readonly cores: number;
  readonly record: BenchRecord;
}

const path = join(repository, 'bench/results.json');

/** Keep a record, valid or not; its reasons stand in it. */
export async function keep(record: BenchRecord, isFull: boolean): Promise<void> {
  const results = JSON.parse(await readFile(path, 'utf8').catch(() => '{}')) as Record<string, Kept>;
  results[record.bench] = {
    date: new Date().toISOString().slice(0, 10),
    form: isFull ? 'long' : 'short',
    cores: availableParallelism(),
    record,
  };
  await writeFile(path, `${JSON.stringify(results, null, 2)}\n`);
}
