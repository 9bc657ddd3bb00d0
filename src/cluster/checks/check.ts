/** The shape of a check: one named judgement on facts, before any change. A check never reads; facts are given. */
import type { ClusterSpec, SpecNode } from '../../config/schema.ts';
import type { NodeFacts } from '../facts/types.ts';

/** A node of the file; its id may not be minted yet. */
export type CheckedNode = Omit<SpecNode, 'id'> & { readonly id?: string };

/** A cluster file and a spec are judged alike. */
export type CheckedSpec = Omit<ClusterSpec, 'nodes' | 'secrets'> & {
  readonly nodes: readonly CheckedNode[];
  readonly secrets:
    ClusterSpec['secrets'] | Readonly<Partial<Record<ClusterSpec['secrets'][number], unknown>>>;
};

export type Verdict = 'pass' | 'warn' | 'fail';

/** What a check says about one thing: a sentence, and for what is not well a command or a field that changes it. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly sentence: string;
  readonly remedy?: string;
  /** For checks of the whole cluster: the node that it concerns. */
  readonly node?: string;
  /**
   * Set on a failure that a person mends on the machines, with the cluster file as it is: a run waits for that. Any
   * other failure ends the run, because only another file, and so another run, can help.
   */
  readonly canWait?: true;
  /** Where going on despite a failure is safe and makes sense: what it means, as a command to windlass. */
  readonly approval?: string;
}

export interface Observed {
  readonly node: CheckedNode;
  readonly facts: NodeFacts;
  /** The observer's clock, in milliseconds, when the facts arrived; makes clocks comparable that were read one by one. */
  readonly readAt?: number;
}

export interface NodeInput extends Observed {
  readonly spec: CheckedSpec;
  /** Id of the head, whose home would own the node; null while it is unknown. */
  readonly homeId: string | null;
}

export interface ClusterInput {
  readonly spec: CheckedSpec;
  readonly nodes: readonly Observed[];
}

interface Named {
  /** Stable, kebab-case; what people and documents call the check. */
  readonly name: string;
  readonly title: string;
}

export interface NodeCheck extends Named {
  readonly scope: 'node';
  readonly judge: (input: NodeInput) => Judgement | readonly Judgement[];
}

export interface ClusterCheck extends Named {
  readonly scope: 'cluster';
  readonly judge: (input: ClusterInput) => Judgement | readonly Judgement[];
}

export type Check = NodeCheck | ClusterCheck;

export interface CheckResult extends Omit<Judgement, 'node'> {
  readonly check: string;
  readonly title: string;
  readonly scope: 'node' | 'cluster';
  /** Name of the node; null when it concerns the cluster as a whole. */
  readonly node: string | null;
}

export const pass = (sentence: string): Judgement => ({ verdict: 'pass', sentence });

export const warn = (sentence: string, remedy?: string): Judgement => ({
  verdict: 'warn',
  sentence,
  ...(remedy !== undefined && { remedy }),
});

/** Every failed check says what to do: a command, or a field of the cluster file. */
export const failed = (sentence: string, remedy: string): Judgement => ({
  verdict: 'fail',
  sentence,
  remedy,
});

/** A failure that is mended on the machines, as `canWait` says. */
export const blocked = (sentence: string, remedy: string, approval?: string): Judgement => ({
  ...failed(sentence, remedy),
  canWait: true,
  ...(approval !== undefined && { approval }),
});

/** The class that counts: what the file says, else what the node is. */
export function classOf({ node, facts }: Observed): NodeFacts['hardware'] {
  return node.hardware === 'auto' ? facts.hardware : node.hardware;
}

/** Is this node the head? */
export function isHead(spec: CheckedSpec, node: CheckedNode): boolean {
  return node.name === spec.head;
}

const gibibyte = 1024 ** 3;

/** Bytes for people, in GiB as the machines' own tools count. */
export function gib(bytes: number): string {
  const value = bytes / gibibyte;
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} GiB`;
}

/** Several things in one sentence: "a, b and c". */
export function list(things: readonly string[]): string {
  const last = things.at(-1) ?? '';
  return things.length < 2 ? last : `${things.slice(0, -1).join(', ')} and ${last}`;
}
