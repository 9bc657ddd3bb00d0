/** Observe every node at once: one activity each, which brings facts and the present state of every later step. */
import type { NodeFacts } from '../../src/cluster/facts/types.ts';
import type { ClusterSpec, SpecNode } from '../../src/config/schema.ts';
import { look } from '../activities.ts';
import type { AskPerson, Progress } from '../progress.ts';
import { untilHeard } from './silent.ts';

export interface ObservedNode {
  readonly node: SpecNode;
  readonly facts: NodeFacts;
  /** When the facts came, by the workflow's clock. */
  readonly readAt: number;
}

export async function observe(spec: ClusterSpec, progress: Progress): Promise<readonly ObservedNode[]> {
  return progress.sideBySide(
    spec.nodes.map(({ name }) => name),
    spec.nodes.map((node) => async () => {
      const { observed } = await progress.step(node.name, 'observe', async (ask) => ({
        changed: false,
        observed: await observeOne(spec, node, ask),
      }));
      return observed;
    }),
  );
}

/** A silent node is waited for, visibly, for as long as it takes. */
export async function observeOne(spec: ClusterSpec, node: SpecNode, ask: AskPerson): Promise<ObservedNode> {
  const facts = await untilHeard(node, 'observe', ask, () => look(node).observeNode({ spec, node: node.id }));
  return { node, facts, readAt: Date.now() };
}
