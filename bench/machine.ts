/** What the machine did while something was measured: how busy its cores were, and how quick a fixed piece of work is. */
import { readFile } from 'node:fs/promises';
import { median } from './statistics.ts';

interface Ticks {
  readonly busy: number;
  readonly all: number;
}

async function readTicks(): Promise<Ticks> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n');
  const fields = line.split(/\s+/).slice(1, 9).map(Number);
  const all = fields.reduce((sum, each) => sum + each, 0);
  const [, , , idle = 0, waiting = 0] = fields;
  return { all, busy: all - idle - waiting };
}

/** Start watching the cores; the returned function tells the busy share of all of them since then, from 0 to 1. */
export async function watchCpu(): Promise<() => Promise<number>> {
  const from = await readTicks();
  return async () => {
    const to = await readTicks();
    return to.all === from.all ? 0 : (to.busy - from.busy) / (to.all - from.all);
  };
}

const probeRounds = 7;
const probeSteps = 4_000_000;

/** Time a fixed piece of work on one core, in milliseconds. It tells whether the machine is still the same. */
export function probeMachine(): number {
  return median(
    Array.from({ length: probeRounds }, () => {
      const startedAt = performance.now();
      let sum = 0;
      for (let step = 0; step < probeSteps; step += 1) sum = (sum * 31 + step) | 0;
      // The sum is used, so that the loop cannot be taken away.
      return performance.now() - startedAt + (sum === 1 ? 1e-9 : 0);
    }),
  );
}

const ticksPerSecond = 100;

/** CPU time that a process has used so far, in milliseconds. */
export async function cpuMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) * 1000) / ticksPerSecond;
}
