/** Observe every node at once: one activity each, which brings facts and the present state of every later step. */
import { condition } from '@temporalio/workflow';
import type { NodeFacts } from '../../src/cluster/facts/types.ts';
import type { ClusterSpec, SpecNode } from '../../src/config/schema.ts';
import { look } from '../activities.ts';
import { allOf, isNodeWorkerSilent } from '../failures.ts';
import type { Progress } from '../progress.ts';

export interface ObservedNode {
  readonly node: SpecNode;
  readonly facts: NodeFacts;
  /** When the facts came, by the workflow's clock. */
  readonly readAt: number;
}

/** A node worker that does not come is looked for again in this rhythm, without a person. */
const lookAgainAfter = '1 minute';

export async function observe(spec: ClusterSpec, progress: Progress): Promise<ObservedNode[]> {
  return allOf(
    spec.nodes.map(async (node) => {
      const { facts } = await progress.step(node.name, 'observe', async () => ({
        changed: false,
        facts: await observeOne(spec, node, progress),
      }));
      return { node, facts, readAt: Date.now() };
    }),
  );
}

/** A silent node parks the run, visibly, for as long as it takes: its queue keeps the next look for it. */
async function observeOne(spec: ClusterSpec, node: SpecNode, progress: Progress): Promise<NodeFacts> {
  const since = Date.now();
  try {
    for (;;) {
      try {
        return await look(node).observeNode({ spec, node: node.id });
      } catch (error) {
        if (!isNodeWorkerSilent(error)) throw error;
        progress.wait({
          node: node.name,
          since,
          what: `no node worker on ${node.name} (${node.address}) takes its task. Is the machine up? windlass up places the worker again.`,
        });
        const asked = progress.retryCount;
        await condition(() => progress.retryCount > asked, lookAgainAfter);
      }
    }
  } finally {
    progress.goOn(node.name);
  }
}
