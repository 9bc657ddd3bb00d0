/** Which faults are run: those named, or as many as asked for, drawn with a seed that makes the drawing repeatable. */
import type { Fault, State } from './fault.ts';
import { titleOf } from './fault.ts';

export interface Choice {
  readonly step?: string;
  readonly group?: string;
  readonly random?: number;
  readonly seed?: number;
}

/** From the one that needs most to be done to the hosts to the one that needs least. */
const order: readonly State[] = ['fresh', 'prepared', 'placed', 'serving'];

/** Return the faults to run, those that begin alike side by side; drawn ones in the order in which they were drawn. */
export function choose(
  table: readonly Fault[],
  ids: readonly string[],
  { step, group, random, seed = Date.now() % 1_000_000 }: Choice,
): { readonly chosen: readonly Fault[]; readonly seed?: number } {
  const meant = table.filter(
    (fault) =>
      (ids.length === 0 || ids.includes(fault.id) || ids.includes(titleOf(fault))) &&
      (step === undefined || fault.step === step) &&
      (group === undefined || fault.group === group),
  );
  if (random === undefined)
    return { chosen: meant.toSorted((a, b) => order.indexOf(a.start) - order.indexOf(b.start)) };
  const next = numbers(seed);
  const drawn = Array.from({ length: random }, () => meant[Math.floor(next() * meant.length)]);
  return { chosen: drawn.filter((fault) => fault !== undefined), seed };
}

/** Numbers in [0, 1), always the same for a seed (mulberry32). */
function numbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
