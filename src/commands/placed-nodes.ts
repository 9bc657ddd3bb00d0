/** Which nodes `windlass down` has to ask, judged by what was seen on each. */
import type { NodeFacts } from '../cluster/facts/types.ts';
import { isRunUnit, standingUnits } from '../cluster/layout.ts';
import { fail } from '../errors.ts';

/** What is looked at of a node. */
interface Looked {
  readonly entry: { readonly name: string };
  readonly facts: { readonly state: Pick<NodeFacts['state'], 'identity' | 'units'> };
}

/**
 * The nodes whose workers can be told to stop what runs there; none where the head has no home. Throws HOME_MISSING where
 * something runs all the same, which only a purge can stop then.
 */
export function placedNodes<T extends Looked>(
  head: string,
  reached: readonly T[],
  { isPurge }: { readonly isPurge: boolean },
): readonly T[] {
  const unitsOf = ({ facts }: T) => facts.state.units.map((unit) => ({ ...unit, name: fullName(unit.name) }));
  const placed = reached.filter(({ facts }) => facts.state.identity !== null);
  const home = placed.find(({ entry }) => entry.name === head);
  if (home && unitsOf(home).some(({ name }) => name === standingUnits.control)) return placed;
  const running = reached.find((node) =>
    unitsOf(node).some(({ name, processes }) => isRunUnit(name) && processes.length > 0),
  );
  if (running && !isPurge) throw fail('HOME_MISSING', { head, on: running.entry.name });
  return [];
}

const fullName = (unit: string): string => `${unit.replace(/\.service$/, '')}.service`;
