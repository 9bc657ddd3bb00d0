/** What a benchmark is. */
import type { Log } from '../test/lab/run.ts';
import type { BenchRecord } from './record.ts';

export interface BenchOptions {
  /** Progress, for people. */
  readonly log: Log;
  /** Use the lab of this name with the cluster that serves there, and leave it running. */
  readonly attachTo?: string;
  /** Try this many rounds at most, to see whether it works; too few rounds are not valid. */
  readonly rounds?: number;
  /** The long form of a benchmark that has one; else the short form, for every change. */
  readonly isFull: boolean;
}

export interface Benchmark {
  readonly name: string;
  readonly summary: string;
  readonly run: (options: BenchOptions) => Promise<BenchRecord>;
}
