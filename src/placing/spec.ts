/** From the cluster file to the workflow's input: minted ids in, ssh settings and secret values out. */
import type { ClusterFile, ClusterSpec, NodeEntry } from '../config/schema.ts';
import { ClusterSpec as Schema, secretNames } from '../config/schema.ts';

/** The spec of a file, given the id of each node. */
export function specOf(file: ClusterFile, idOf: (node: NodeEntry) => string): ClusterSpec {
  const { secrets, nodes, ...common } = file;
  return Schema.parse({
    ...common,
    nodes: nodes.map((node) => {
      const { ssh: _ssh, ...rest } = node;
      return { ...rest, id: idOf(node) };
    }),
    secrets: secretNames.filter((name) => secrets[name] !== undefined),
  });
}
