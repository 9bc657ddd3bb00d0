/**
 * The fields of a cluster file that are right each for itself. Rules across fields are judged on these, so that one
 * wrong port does not hide two equal addresses: a person is told everything at once.
 */
import type { z } from 'zod';
import type { NodeEntry } from './schema.ts';
import {
  BuiltEnvironment,
  ClusterFile,
  Engine,
  HubModel,
  Network,
  Node,
  Parallel,
  PathModel,
  Ray,
  Serving,
  Temporal,
} from './schema.ts';

/** Fields of a section; undefined where they are wrong or missing without a default. */
export type Fields<T> = { readonly [K in keyof T]?: T[K] | undefined };

type BuiltFields = Fields<z.infer<typeof BuiltEnvironment>>;
/** Fields of an environment of either kind. */
export type EnvironmentFields = BuiltFields & { readonly isBuiltByHand: boolean };

/** What rules look at. */
export interface Sections {
  readonly head: string | undefined;
  readonly nodes: readonly Fields<NodeEntry>[];
  readonly model: Fields<z.infer<typeof HubModel>> & Fields<z.infer<typeof PathModel>>;
  readonly engine: Fields<ClusterFile['engine']>;
  readonly launcher: ClusterFile['launcher'] | undefined;
  readonly parallel: Fields<ClusterFile['parallel']>;
  readonly serving: Fields<ClusterFile['serving']>;
  readonly environments: Readonly<Record<string, EnvironmentFields>>;
  readonly network: Fields<ClusterFile['network']>;
  readonly ray: Fields<ClusterFile['ray']>;
  readonly temporal: Fields<ClusterFile['temporal']>;
}

/** Read each field for itself. */
export function readSections(value: unknown): Sections {
  const file = asRecord(value);
  const { shape } = ClusterFile;
  return {
    head: shape.head.safeParse(file['head']).data,
    nodes: Array.isArray(file['nodes']) ? file['nodes'].map((node) => readFields(Node, node)) : [],
    model: { ...readFields(PathModel, file['model']), ...readFields(HubModel, file['model']) },
    engine: readFields(Engine, file['engine']),
    launcher: shape.launcher.safeParse(file['launcher']).data,
    parallel: readFields(Parallel, file['parallel']),
    serving: readFields(Serving, file['serving']),
    environments: readEnvironments(file['environments']),
    network: readFields(Network, file['network']),
    ray: readFields(Ray, file['ray']),
    temporal: readFields(Temporal, file['temporal']),
  };
}

function readEnvironments(value: unknown): Sections['environments'] {
  return Object.fromEntries(
    Object.entries(asRecord(value)).map(([name, entry]): [string, EnvironmentFields] => [
      name,
      { ...readFields(BuiltEnvironment, entry), isBuiltByHand: Object.hasOwn(asRecord(entry), 'path') },
    ]),
  );
}

function readFields<T extends z.ZodRawShape>(
  schema: z.ZodObject<T>,
  value: unknown,
): Fields<z.infer<z.ZodObject<T>>> {
  const given = asRecord(value);
  return Object.fromEntries(
    Object.entries(schema.shape).map(([name, field]) => [
      name,
      readField(field as z.ZodType, Object.hasOwn(given, name) ? given[name] : undefined),
    ]),
  ) as Fields<z.infer<z.ZodObject<T>>>;
}

/** Of a mapping with free keys, as variables are, the entries that are right are kept. */
function readField(field: z.ZodType, value: unknown): unknown {
  const whole = field.safeParse(value);
  if (whole.success) return whole.data;
  const wrong = new Set(whole.error.issues.map((issue) => issue.path[0]));
  const right = Object.entries(asRecord(value)).filter(([key]) => !wrong.has(key));
  return right.length > 0 ? field.safeParse(Object.fromEntries(right)).data : undefined;
}

const asRecord = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
