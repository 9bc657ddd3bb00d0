/** A node that a command names: found in the cluster file before anything is contacted. */
import { nearest } from '../config/known-keys.ts';
import type { ClusterFile, NodeEntry } from '../config/schema.ts';
import { fail } from '../errors.ts';

/** Return the node; throws USAGE with the name that was most likely meant, or with all. */
export function nodeNamed(file: ClusterFile, name: string): NodeEntry {
  const found = file.nodes.find((entry) => entry.name === name);
  if (found) return found;
  const names = file.nodes.map((entry) => entry.name);
  const near = nearest(name, names);
  const hint =
    near === undefined ? `its nodes are ${names.slice(0, 20).join(', ')}` : `did you mean ${near}?`;
  throw fail('USAGE', { message: `${name} is not a node of ${file.name}; ${hint}` });
}
