/** Is the memory free again that processes held on a GPU? Their end frees it, but only the driver knows when. */
import { existsSync } from 'node:fs';
import { cancellationSignal, Context, heartbeat } from '@temporalio/activity';
import { z } from 'zod';
import { fail } from '../src/errors.ts';
import { run } from '../src/process/run.ts';
import { sleep } from './acts.ts';

const Remembered = z.object({ ended: z.array(z.number().int()) });
/** An answer takes the driver tens of milliseconds, after a start seconds; one that hangs cannot be killed. */
const answerLimitMs = 10_000;
const lookEveryMs = 1_000;

/**
 * Wait until the driver counts no memory to any of these processes, which have ended, nor to those that an earlier attempt
 * has stopped. A machine without a driver, or with one that does not tell, proves nothing and is believed. Throws
 * STOP_FAILED after the limit.
 */
export async function gpuMemoryFree(endedNow: readonly number[], limitMs = 30_000): Promise<void> {
  const ended = [...endedBefore(), ...endedNow];
  const end = performance.now() + limitMs;
  while (ended.length > 0) {
    heartbeat({ v: 1, phase: 'GPU memory', ended });
    const holders = await readHolders();
    // The number of one that has ended may be another's by now.
    const left = ended.filter((pid) => holders.has(pid) && !existsSync(`/proc/${pid}`));
    if (left.length === 0) return;
    if (performance.now() > end) {
      throw fail('STOP_FAILED', {
        what: `memory on the GPU of pid ${left.join(', ')}`,
        evidence: 'the process has ended, and its driver has not freed it',
      });
    }
    await sleep(lookEveryMs);
    if (cancellationSignal().aborted) throw cancellationSignal().reason;
  }
}

const endedBefore = (): readonly number[] =>
  Remembered.safeParse(Context.current().info.heartbeatDetails).data?.ended ?? [];

/** Pids to which the driver counts memory. */
async function readHolders(): Promise<ReadonlySet<number>> {
  const command = { file: 'nvidia-smi', args: ['--query-compute-apps=pid', '--format=csv,noheader'] };
  const over = new AbortController();
  const answer = run(command, { timeoutMs: answerLimitMs }).then(({ stdout }) => stdout);
  const stdout = await Promise.race([answer, sleep(answerLimitMs, over.signal).then(() => '')]);
  over.abort();
  return new Set(stdout.split('\n').flatMap((line) => (/^ *\d+ *$/.test(line) ? [Number(line)] : [])));
}
