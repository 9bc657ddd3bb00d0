/** What is wrong with a cluster file: one value per problem, and the one form in which all of them are shown. */
import { escapeLine } from '../process/escape.ts';
import { redactor } from '../process/redact.ts';

export interface Problem {
  /** Line in the file, from 1; null when there is no file to point into. */
  readonly line: number | null;
  /** As in `nodes[1].address`; empty for the whole file. It exists in the file. */
  readonly path: string;
  /** A sentence; values in it are escaped and are never secrets. */
  readonly message: string;
  /** For text that is not YAML: the line, and a caret under the place. */
  readonly excerpt?: readonly string[];
}

export type Path = readonly (string | number)[];

/** What a rule finds: a path into the file and a sentence about what stands there. */
export interface Finding {
  readonly path: Path;
  readonly message: string;
}

/** Keys that a person may have typed: shown plain when they are words, quoted and escaped otherwise. */
const plainKey = /^[A-Za-z_][\w-]*$/;

/** Write a path as `nodes[1].address`. */
export function formatPath(path: Path): string {
  return path.reduce<string>((shown, step) => {
    if (typeof step === 'number') return `${shown}[${step}]`;
    if (!plainKey.test(step)) return `${shown}[${escapeLine(JSON.stringify(step))}]`;
    return shown === '' ? step : `${shown}.${step}`;
  }, '');
}

const longestValue = 80;
const redact = redactor([]);

/** Show a value of the file inside a sentence: one line, escaped, cut, without secrets. */
export function showValue(value: string): string {
  const redacted = redact(value);
  const cut = redacted.length > longestValue ? `${redacted.slice(0, longestValue)}…` : redacted;
  const needsQuotes = cut === '' || cut !== cut.trim();
  return escapeLine(needsQuotes ? JSON.stringify(cut) : cut);
}

/** More than this many lines help nobody; the rest is counted. */
const mostShown = 100;

/** All problems as text, one line each: `cluster.yaml:14: nodes[1].address: sentence`. */
export function formatProblems(name: string, problems: readonly Problem[]): string {
  const lines = problems.slice(0, mostShown).flatMap(({ line, path, message, excerpt = [] }) => {
    const place = [escapeLine(name) + (line === null ? '' : `:${line}`), path].filter((part) => part !== '');
    return [`${place.join(': ')}: ${message}`, ...excerpt];
  });
  const more = problems.length - mostShown;
  return (more > 0 ? [...lines, `and ${more} more problems`] : lines).join('\n');
}

/** Sort by line, each problem once: a value may break several rules that say the same. */
export function arrangeProblems(problems: readonly Problem[]): Problem[] {
  const distinct = new Map(problems.map((each) => [`${each.line}\n${each.path}\n${each.message}`, each]));
  return [...distinct.values()].toSorted((a, b) => (a.line ?? 0) - (b.line ?? 0));
}
