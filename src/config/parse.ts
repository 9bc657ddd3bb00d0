/** From text to a plain value: YAML without anything that surprises, every value as it is written, never coerced. */
import type { Document, ParsedNode, YAMLMap } from 'yaml';
import { isPair, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml';
import { escapeLine } from '../process/escape.ts';
import { redactor } from '../process/redact.ts';
import type { Positions } from './positions.ts';
import { keyText, positionsOf } from './positions.ts';
import type { Path, Problem } from './problems.ts';
import { formatPath } from './problems.ts';

interface Parsed {
  /** The value; null for an empty file. */
  readonly value: unknown;
  readonly source: Positions;
  /** Keys that are given more than once, and those that no object should have. */
  readonly misplaced: readonly Problem[];
}

/** Parse text that `scan` has passed; problems only when it is not YAML. */
export function parseYaml(text: string): Parsed | { readonly problems: Problem[] } {
  const lines = new LineCounter();
  // Pretty errors cost a line's length each; the places are counted here instead.
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: false });
  const problems = [...syntaxProblems(text, document, lines), ...keyProblems(document, lines)];
  if (problems.length > 0) return { problems };
  refuseExoticNumbers(document);
  return {
    value: document.toJS({ maxAliasCount: 0 }),
    source: positionsOf(document, lines),
    misplaced: misplacedKeys(document, lines),
  };
}

const redact = redactor([]);
/** One broken quote makes the parser complain on every line after it. */
const mostSyntaxProblems = 5;
const widestExcerpt = 100;

function syntaxProblems(text: string, document: Document.Parsed, lines: LineCounter): Problem[] {
  const byLine = new Map<number, Problem>();
  // What is missing at the end is shown at the last line that holds anything.
  const end = Math.max(0, text.trimEnd().length - 1);
  for (const { message, pos, code } of [...document.errors, ...document.warnings]) {
    const { line, col } = lines.linePos(Math.min(pos[0], end));
    if (byLine.has(line)) continue;
    const sentence =
      code === 'MULTIPLE_DOCS' ? 'holds more than one document; a cluster file is one' : message;
    byLine.set(line, {
      line,
      path: '',
      message: escapeLine(sentence),
      excerpt: excerpt(text, lines, line, col),
    });
    if (byLine.size === mostSyntaxProblems) break;
  }
  return [...byLine.values()];
}

function excerpt(text: string, lines: LineCounter, line: number, column: number): string[] {
  const start = lines.lineStarts[line - 1] ?? 0;
  const end = text.indexOf('\n', start);
  const whole = text.slice(start, end === -1 ? undefined : end);
  const from = Math.max(0, column - widestExcerpt);
  const before = escapeLine(redact(whole.slice(from, column - 1)));
  return [
    `  ${before}${escapeLine(redact(whole.slice(column - 1, from + widestExcerpt)))}`,
    `  ${' '.repeat(before.length)}^`,
  ];
}

/** Keys must be words: YAML also has lists and mappings as keys, and one word would change what an object is. */
function keyProblems(document: Document.Parsed, lines: LineCounter): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Pair(_, { key }) {
      if (isScalar(key)) return;
      const range = (key as ParsedNode | null)?.range;
      problems.push({ line: lines.linePos(range?.[0] ?? 0).line, path: '', message: 'a key must be a word' });
    },
  });
  return problems;
}

/** YAML reads 1e3, 0x16, 012 and +5 as numbers, too. A person who writes them here has most likely meant something else. */
const plainNumber = /^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$/;

/** Such a number becomes NaN, which no field takes; the message shows what was written. */
function refuseExoticNumbers(document: Document.Parsed): void {
  visit(document, {
    Scalar(key, node) {
      if (key === 'key' || typeof node.value !== 'number') return;
      if (node.source !== undefined && !plainNumber.test(node.source)) node.value = Number.NaN;
    },
  });
}

function misplacedKeys(document: Document.Parsed, lines: LineCounter): Problem[] {
  const problems: Problem[] = [];
  visit(document, {
    Map(_, map, ancestors) {
      for (const [key, found] of keyLines(map, lines)) {
        const message = misplaced(key, found);
        if (message === undefined) continue;
        const path = formatPath([...pathTo([...ancestors, map]), key]);
        problems.push({ line: found.at(-1) ?? 1, path, message });
      }
    },
  });
  return problems;
}

const mostLines = 8;

function misplaced(key: string, lines: readonly number[]): string | undefined {
  // The schema's mappings with free keys would drop it without a word.
  if (key === '__proto__') return 'unknown key __proto__';
  if (lines.length < 2) return undefined;
  const times = lines.length === 2 ? 'twice' : `${lines.length} times`;
  const shown = lines.length > mostLines ? [...lines.slice(0, mostLines - 2), '…'] : lines.slice(0, -1);
  return `${formatPath([key])} is given ${times} (lines ${shown.join(', ')} and ${lines.at(-1)})`;
}

function keyLines(map: YAMLMap, lines: LineCounter): Map<string, number[]> {
  const places = new Map<string, number[]>();
  for (const { key } of map.items) {
    if (!isScalar(key)) continue;
    const name = keyText(key.value);
    const found = places.get(name) ?? [];
    found.push(lines.linePos(key.range?.[0] ?? 0).line);
    places.set(name, found);
  }
  return places;
}

/** The path that a chain of nodes, from the document down, stands for. */
function pathTo(chain: readonly unknown[]): Path {
  return chain.flatMap((node, index): (string | number)[] => {
    const next = chain[index + 1];
    if (isPair(node)) return isScalar(node.key) ? [keyText(node.key.value)] : [];
    return isSeq(node) ? [node.items.indexOf(next)] : [];
  });
}
