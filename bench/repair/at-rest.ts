/** What a node worker costs its node while nothing happens. */
import { cpuMsOf } from '../machine.ts';
import type { Cluster } from './cluster.ts';
import { nodeWorkerOf } from './cluster.ts';

/**
 * How long a node worker takes to come to rest: until then it at times tidies its memory with several threads, after the
 * acts of a bring-up (measured: 1.2 % of a core in the first half minute, 0.3 to 0.55 in each one after that).
 */
export const settleSeconds = 60;

/** The share of a core, in percent, that the busier of the two node workers used for some seconds. */
export async function cpuShare(
  { head, worker }: Cluster,
  seconds: number,
  wait: (ms: number) => Promise<void>,
): Promise<number> {
  const workers = await Promise.all([head, worker].map((host) => nodeWorkerOf(host)));
  const used = (): Promise<number[]> => Promise.all(workers.map(({ pid }) => cpuMsOf(pid)));
  const before = await used();
  await wait(seconds * 1_000);
  const shares = (await used()).map((ms, at) => (ms - (before[at] ?? 0)) / (seconds * 10));
  return Math.max(...shares);
}
