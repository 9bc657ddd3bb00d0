/** A cluster file that is right, cut into sections, so that a test can put one wrong section in its place. */
import { parseClusterFile } from '../../../src/config/load.ts';
import type { Problem } from '../../../src/config/problems.ts';
import type { ClusterFile } from '../../../src/config/schema.ts';
import { WindlassError } from '../../../src/errors.ts';

const sections = {
  schemaVersion: 'schemaVersion: 1',
  name: 'name: demo',
  head: 'head: spark-1',
  nodes: `nodes:
  - name: spark-1
    address: 10.0.0.25
  - name: spark-2
    address: 10.0.0.22`,
  model: 'model: { id: owner/name }',
  engine: 'engine: { name: sglang, version: "0.5.21" }',
  parallel: 'parallel: { pipeline: 2 }',
} as const;

export type Given = Readonly<Partial<Record<keyof typeof sections | 'more', string>>>;

/** The text of the sample with these sections in the place of its own; an empty one is left out. */
export function sample(given: Given = {}): string {
  return Object.values({ ...sections, ...given })
    .filter((section) => section !== '')
    .join('\n')
    .concat('\n');
}

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Read a text as a cluster file. */
export const read = (text: string): ClusterFile => parseClusterFile('cluster.yaml', encode(text)).file;

/** All problems of these bytes; anything but our own error is thrown on. */
export function problemsIn(bytes: Uint8Array): readonly Problem[] {
  try {
    parseClusterFile('cluster.yaml', bytes);
    return [];
  } catch (error) {
    if (!(error instanceof WindlassError) || error.code !== 'CLUSTER_FILE_INVALID') throw error;
    return error.data['problems'] as Problem[];
  }
}

export const problemsOf = (text: string): readonly Problem[] => problemsIn(encode(text));

/** The line, from 1, that holds this text. */
export function lineWith(text: string, part: string): number {
  const index = text.split('\n').findIndex((line) => line.includes(part));
  if (index === -1) throw new Error(`the sample has no line with ${part}`);
  return index + 1;
}
