/** Where things stand in a cluster file: from a path to its line, and to the text of a value as a person wrote it. */
import type { Document, LineCounter, Node as YamlNode, Pair, YAMLMap } from 'yaml';
import { isMap, isNode, isScalar, isSeq } from 'yaml';
import type { Path } from './problems.ts';

/** Finds the places of paths. */
export interface Positions {
  /** Does the file have something there? */
  has(path: Path): boolean;
  /** The longest beginning of the path that the file has. */
  existing(path: Path): Path;
  /** Line of the key or list item, or of the nearest thing above it that is there; from 1. */
  lineOf(path: Path): number;
  /** A scalar as it is written, without its quotes; undefined for anything else. */
  sourceOf(path: Path): string | undefined;
}

interface Place {
  readonly node: YamlNode | null;
  readonly offset: number;
}

/** Read the positions of a parsed document. */
export function positionsOf(document: Document.Parsed, lines: LineCounter): Positions {
  const index = new KeyIndex();
  const places = (path: Path): Place[] => {
    const root: Place = { node: document.contents, offset: document.contents?.range[0] ?? 0 };
    const found = [root];
    for (const step of path) {
      const next = stepInto(found.at(-1)?.node ?? null, step, index);
      if (next === undefined) break;
      found.push(next);
    }
    return found;
  };
  return {
    has: (path) => places(path).length > path.length,
    existing: (path) => path.slice(0, places(path).length - 1),
    lineOf: (path) => Math.max(1, lines.linePos(places(path).at(-1)?.offset ?? 0).line),
    sourceOf(path) {
      const found = places(path);
      const node = found.length > path.length ? found.at(-1)?.node : null;
      return isScalar(node) ? (node.source ?? (node.value === null ? '' : undefined)) : undefined;
    },
  };
}

function stepInto(node: YamlNode | null, step: string | number, index: KeyIndex): Place | undefined {
  if (isSeq(node)) {
    const item = node.items[Number(step)];
    return isNode(item) ? { node: item, offset: item.range?.[0] ?? 0 } : undefined;
  }
  const pair = isMap(node) ? index.find(node, String(step)) : undefined;
  if (!isScalar(pair?.key)) return undefined;
  return { node: isNode(pair.value) ? pair.value : null, offset: pair.key.range?.[0] ?? 0 };
}

/** The pairs of mappings by key. Looking through thousands of keys for each of thousands would take a minute. */
class KeyIndex {
  readonly #pairs = new Map<YAMLMap, ReadonlyMap<string, Pair>>();

  /** The last pair with this key, which is what wins where a key is given twice. */
  find(map: YAMLMap, key: string): Pair | undefined {
    const known = this.#pairs.get(map) ?? this.#read(map);
    return known.get(key);
  }

  #read(map: YAMLMap): ReadonlyMap<string, Pair> {
    const pairs = new Map(
      map.items.flatMap((pair): [string, Pair][] =>
        isScalar(pair.key) ? [[keyText(pair.key.value), pair]] : [],
      ),
    );
    this.#pairs.set(map, pairs);
    return pairs;
  }
}

/** The key that a value of YAML becomes in an object. */
export function keyText(value: unknown): string {
  return typeof value === 'string' ? value : value === null ? '' : JSON.stringify(value);
}
