/** Is the memory free again that processes held on a GPU? Their end frees it, but only the driver knows when. */
import { existsSync } from 'node:fs';
import { fail } from '../src/errors.ts';
import { run } from '../src/process/run.ts';
import { until } from './acts.ts';

/**
 * Wait until the driver counts no memory to any of these processes, which have ended. A machine without a driver, or with
 * one that does not tell, proves nothing and is believed. Throws STOP_FAILED after the limit.
 */
export async function gpuMemoryFree(ended: readonly number[], limitMs = 30_000): Promise<void> {
  let left: readonly number[] = [];
  await until(
    async () => {
      const holders = await readHolders();
      // The number of one that has ended may be another's by now.
      left = ended.filter((pid) => holders.has(pid) && !existsSync(`/proc/${pid}`));
      return left.length === 0 ? true : null;
    },
    limitMs,
    () =>
      fail('STOP_FAILED', {
        what: `memory on the GPU of pid ${left.join(', ')}`,
        evidence: 'the process has ended, and its driver has not freed it',
      }),
    1_000,
  );
}

/** Pids to which the driver counts memory. */
async function readHolders(): Promise<ReadonlySet<number>> {
  const command = { file: 'nvidia-smi', args: ['--query-compute-apps=pid', '--format=csv,noheader'] };
  const { stdout } = await run(command, { timeoutMs: 10_000 });
  return new Set(stdout.split('\n').flatMap((line) => (/^ *\d+ *$/.test(line) ? [Number(line)] : [])));
}
