/** Observe every node at once: one activity each, which brings facts and the present state of every later step. */
import type { NodeFacts } from '../../src/cluster/facts/types.ts';
import { wantOf } from '../../src/cluster/waits.ts';
import type { ClusterSpec, SpecNode } from '../../src/config/schema.ts';
import { look } from '../activities.ts';
import { isNodeWorkerSilent } from '../failures.ts';
import type { AskPerson, Progress } from '../progress.ts';

export interface ObservedNode {
  readonly node: SpecNode;
  readonly facts: NodeFacts;
  /** When the facts came, by the workflow's clock. */
  readonly readAt: number;
}

/** A node worker that does not come is soon looked for again without a person: a machine may be booting. */
const lookAgainMs = 60_000;

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

/** A silent node is waited for, visibly, for as long as it takes: its queue keeps the next look for it. */
export async function observeOne(spec: ClusterSpec, node: SpecNode, ask: AskPerson): Promise<ObservedNode> {
  for (;;) {
    try {
      const facts = await look(node).observeNode({ spec, node: node.id });
      return { node, facts, readAt: Date.now() };
    } catch (error) {
      if (!isNodeWorkerSilent(error)) throw error;
      const data = { node: node.name, address: node.address };
      const what = wantOf('NODE_WORKER_SILENT', data, `${node.name} · observe`);
      const wait = {
        node: node.name,
        step: 'observe',
        code: 'NODE_WORKER_SILENT',
        what,
        approval: null,
      } as const;
      await ask([wait], lookAgainMs);
    }
  }
}
