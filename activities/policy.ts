/**
 * What the owner of this machine allows, in a file that no activity writes: it beats whatever arrives from the Temporal
 * service, whose inputs are well formed also when somebody else has written them.
 */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { z } from 'zod';
import { helperPorts } from '../src/cluster/gang.ts';
import { RayUnit } from '../src/cluster/inputs.ts';
import { expandHome } from '../src/cluster/layout.ts';
import { fail } from '../src/errors.ts';
import { errnoOf } from '../src/process/files.ts';
import type { NodeContext } from './context.ts';

const Folder = z.string().regex(/^(?:\/|~\/)/, { error: 'must be an absolute path or begin with ~/' });
const Port = z.number().int().min(1).max(65_535);

/** A part that is not given allows everything of its kind. */
export const Policy = z.strictObject({
  /** Clusters whose runs may act here. */
  clusters: z.array(z.string()).optional(),
  /** Folders in which a model or an environment must lie that is given by its path. */
  folders: z.array(Folder).optional(),
  /** Ports on which Ray and the engine may listen, as [first, last]. */
  ports: z.array(z.tuple([Port, Port])).optional(),
  /** Addresses at or below which package indexes, model hubs and all packages must lie that are fetched. */
  sources: z.array(z.url()).optional(),
});
export type Policy = z.infer<typeof Policy>;

/** Where the owner writes it: beside the owner's other settings, so that removing windlass leaves it. */
export const policyPath = (homeDirectory: string): string =>
  join(homeDirectory, '.config/windlass/policy.json');

/** Throws POLICY for an input that the owner does not allow, or where the file cannot be understood. */
export async function demandAllowed(context: NodeContext, input: object): Promise<void> {
  const path = policyPath(context.homeDirectory);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return null;
    throw fail('POLICY', { path, what: `it cannot be read: ${String(error)}` });
  });
  if (text === null) return;
  const refusal = refusalOf(readPolicy(path, text), input, context.homeDirectory);
  if (refusal !== null) throw fail('POLICY', { path, what: refusal });
}

function readPolicy(path: string, text: string): Policy {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail('POLICY', { path, what: 'it is not JSON' });
  }
  const parsed = Policy.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw fail('POLICY', { path, what: problems.join('; ') });
}

/** What of an input the policy does not allow, as the end of a sentence; null for nothing. */
export function refusalOf(policy: Policy, input: object, homeDirectory: string): string | null {
  const { clusters, folders, ports, sources } = policy;
  const absolute = (path: string) => resolve(expandHome(path, homeDirectory));
  const isIn = (path: string, allowed: readonly string[]) =>
    allowed.some((folder) => absolute(path).startsWith(`${absolute(folder)}/`));
  const rules: Readonly<Record<Kind, (value: string) => boolean | undefined>> = {
    cluster: (name) => clusters?.includes(name),
    folder: (path) => folders && isIn(path, folders),
    // What was staged from a hub lies where the hub's tools look.
    model: (path) => folders && isIn(path, [...folders, '~/.cache/huggingface']),
    port: (port) => ports?.some(([from, to]) => from <= Number(port) && Number(port) <= to),
    source: (address) => sources?.some((source) => isBelow(address, source)),
  };
  const refused = fieldsOf(input).find(({ kind, value }) => rules[kind](value) === false);
  return refused === undefined ? null : `${refused.kind} ${refused.value} is not allowed`;
}

/** Of the same host, at that path or below it: the text alone would also begin the name of another host. */
function isBelow(address: string, source: string): boolean {
  if (!URL.canParse(address)) return false;
  const [asked, allowed] = [new URL(address), new URL(source)];
  const folder = allowed.pathname.replace(/\/*$/, '/');
  return (
    asked.protocol === allowed.protocol &&
    asked.host === allowed.host &&
    `${asked.pathname}/`.startsWith(folder)
  );
}

type Kind = 'cluster' | 'folder' | 'model' | 'port' | 'source';
interface Field {
  readonly kind: Kind;
  readonly value: string;
}

/** The names under which inputs of activities carry what a policy speaks of; src/cluster/inputs.ts has them all. */
const kinds: Readonly<Record<string, Kind>> = {
  cluster: 'cluster',
  path: 'folder',
  model: 'model',
  port: 'port',
  rendezvousPort: 'port',
  index: 'source',
  extraIndexes: 'source',
  findLinks: 'source',
  endpoint: 'source',
  sources: 'source',
};

/** Other machines' parts, owners of before, and what is only to be free: nothing is started by them. */
const passedOver = new Set(['spec', 'replaces', 'ports', 'expected']);

/** All fields below a value that a policy speaks of. */
function fieldsOf(value: object): Field[] {
  return Object.entries(value).flatMap(([name, below]: [string, unknown]): Field[] => {
    if (passedOver.has(name)) return [];
    const kind = kinds[name];
    const values: unknown[] = Array.isArray(below) ? below : [below];
    const own = values.flatMap((each): Field[] => {
      if (typeof each === 'object' && each !== null) return fieldsOf(each);
      if (name === 'packages') return sourceOf(String(each));
      const isWord = typeof each === 'string' || typeof each === 'number';
      return kind !== undefined && isWord ? [{ kind, value: String(each) }] : [];
    });
    return name === 'ray' ? [...own, ...portsOfHelpers(below)] : own;
  });
}

/** A requirement may say where its package lies: `name @ ADDRESS`, an address or a path. */
function sourceOf(requirement: string): Field[] {
  const at = requirement.indexOf('@');
  const address = at >= 0 ? requirement.slice(at + 1).trim() : requirement;
  return at >= 0 || address.includes('/') ? [{ kind: 'source', value: address }] : [];
}

/** Ray's helpers listen on the ports after its own. */
function portsOfHelpers(ray: unknown): Field[] {
  const parsed = RayUnit.safeParse(ray);
  return parsed.success
    ? helperPorts(parsed.data.port).map((port) => ({ kind: 'port', value: String(port) }))
    : [];
}
