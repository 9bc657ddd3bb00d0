/** The keys that the schema knows at a place, and the one that an unknown key was most likely meant to be. */
import { distance } from 'fastest-levenshtein';
import { z } from 'zod';
import type { Path } from './problems.ts';
import { ClusterFile } from './schema.ts';

type JsonSchema = z.core.JSONSchema.BaseSchema;

let schema: JsonSchema | undefined;
const clusterFileSchema = (): JsonSchema => (schema ??= z.toJSONSchema(ClusterFile, { io: 'input' }));

const alternatives = (each: JsonSchema): JsonSchema[] =>
  [each, ...(each.anyOf ?? []).flatMap(alternatives)].filter(isObject);

const isObject = (each: unknown): each is JsonSchema => typeof each === 'object' && each !== null;

/** Keys of the object at this path, of all its alternatives. */
export function knownKeys(path: Path): string[] {
  return [
    ...new Set(schemasAt(path).flatMap((each) => [...Object.keys(each.properties ?? {}), ...namesOf(each)])),
  ];
}

/** What the reference says of the field at this path. */
export function descriptionOf(path: Path): string | undefined {
  return schemasAt(path).find((each) => each.description !== undefined)?.description;
}

function schemasAt(path: Path): JsonSchema[] {
  let here = alternatives(clusterFileSchema());
  for (const step of path) {
    here = here
      .flatMap((each) => [
        typeof step === 'number' ? each.items : (each.properties?.[step] ?? each.additionalProperties),
      ])
      .filter(isObject)
      .flatMap(alternatives);
  }
  return here;
}

const namesOf = (each: JsonSchema): string[] =>
  isObject(each.propertyNames)
    ? (each.propertyNames.enum ?? []).filter((name) => typeof name === 'string')
    : [];

/** A word is meant when few letters differ, and most of them agree. */
const isNear = (far: number, length: number): boolean => far <= 3 && (length - far) / length > 0.4;
const longestWord = 60;

/** The known word that is nearest to this one, if any is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  if (word.length > longestWord) return undefined;
  const folded = word.toLowerCase().replaceAll(/[_-]/g, '');
  const ranked = known
    .map((each) => ({ each, far: distance(folded, each.toLowerCase().replaceAll('-', '')) }))
    .filter(({ each, far }) => isNear(far, Math.max(each.length, folded.length)))
    .toSorted((a, b) => a.far - b.far);
  return ranked[0]?.each;
}
