/** Which faults are run: those named, or as many as asked for, drawn with a seed that makes the drawing repeatable. */
import { randomFrom } from '../support/random.ts';
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
  const next = randomFrom(seed);
  const drawn = Array.from({ length: random }, () => meant[Math.floor(next() * meant.length)]);
  return { chosen: drawn.filter((fault) => fault !== undefined), seed };
}
