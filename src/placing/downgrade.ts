/** An older program never replaces what a newer one has placed: it does not know what that one keeps, nor its runs. */
import { isBelow } from '../engines/version.ts';
import { Problems, fail } from '../errors.ts';
import { version } from '../version.ts';
import type { LookedNode } from './look.ts';

/** Throws DOWNGRADE for every node whose payload is of a newer version than `own`; of equal versions any may win. */
export function demandNoDowngrade(nodes: readonly LookedNode[], own: string = version): void {
  const problems = nodes.flatMap(({ entry, look }) => {
    // The version of a payload is that of its package and a hash of its content.
    const installed = look.payload?.replace(/-[0-9a-f]{12}$/, '');
    if (installed === undefined || !isBelow(own, installed)) return [];
    return [Object.assign(fail('DOWNGRADE', { installed, own }), { node: entry.name })];
  });
  if (problems.length > 0) throw new Problems(problems);
}
