/** What was read over ssh, in the form that checks and plans take. Ids that are not minted yet are zeros. */
import type { Observed } from '../cluster/plan.ts';
import type { ClusterFile, ClusterSpec } from '../config/schema.ts';
import type { ReachedNode } from '../placing/reach.ts';
import { specOf } from '../placing/spec.ts';

const notMinted = '0'.repeat(16);

/** The spec of a file and its observed nodes, in the order of the file. */
export function observedOf(
  file: ClusterFile,
  reached: readonly ReachedNode[],
): { readonly spec: ClusterSpec; readonly observed: Observed[] } {
  const of = new Map(reached.map((each) => [each.entry, each]));
  const spec = specOf(file, (entry) => of.get(entry)?.facts.state.identity?.id ?? notMinted);
  const observed = file.nodes.flatMap((entry, at) => {
    const found = of.get(entry);
    const node = spec.nodes[at];
    return found && node ? [{ node, facts: found.facts, readAt: found.readAt }] : [];
  });
  return { spec, observed };
}
