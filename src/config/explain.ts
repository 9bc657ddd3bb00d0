/** From the schema's issues to problems a person can act on: the line, what was written there, what it must be. */
import type { z } from 'zod';
import { descriptionOf, knownKeys, nearest } from './known-keys.ts';
import type { Positions } from './positions.ts';
import type { Path, Problem } from './problems.ts';
import { formatPath, showValue } from './problems.ts';

type Issue = z.core.$ZodIssue;

/** Explain all issues of a value that was read from a file. */
export function explainIssues(issues: readonly Issue[], source: Positions): Problem[] {
  return issues.flatMap((issue) => explain(issue, [], source));
}

function explain(issue: Issue, above: Path, source: Positions): Problem[] {
  const path = [...above, ...toPath(issue.path)];
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(path);
    return issue.keys.map((key, index) =>
      problem([...path, key], unknownKey(key, index < mostHints ? known : []), source),
    );
  }
  if (issue.code === 'invalid_key') {
    return issue.issues.map((inner) => problem(path, describeKey(path, inner.message), source));
  }
  const branch = issue.code === 'invalid_union' ? likeliestBranch(issue.errors) : undefined;
  return branch?.flatMap((inner) => explain(inner, path, source)) ?? [wrongValue(issue, path, source)];
}

const toPath = (path: readonly PropertyKey[]): Path =>
  path.map((step) => (typeof step === 'symbol' ? String(step) : step));

/** The problem at a path, or at what is there of it. */
export function problem(path: Path, message: string, source: Positions): Problem {
  const existing = source.existing(path);
  return { line: source.lineOf(path), path: formatPath(existing), message };
}

/** Words that people use for secrets; their values belong elsewhere. */
const namesASecret = /token|secret|passw|api[_-]?key/i;

const unknownKey = (key: string, known: readonly string[]): string =>
  `unknown key ${formatPath([key])}${hintFor(key, known)}`;

/** Beyond this many unknown keys it is another kind of file, and hints would only take time. */
const mostHints = 100;

/** A longer list than this is looked up better in the reference. */
const mostKnown = 8;

function hintFor(key: string, known: readonly string[]): string {
  if (namesASecret.test(key)) {
    return '; secrets go in secrets.huggingFaceToken and secrets.apiKey, as fromEnv or fromFile';
  }
  const near = nearest(key, known);
  if (near !== undefined) return `; did you mean ${near}?`;
  return known.length > 0 && known.length <= mostKnown ? `; known here: ${known.join(', ')}` : '';
}

const describeKey = (path: Path, message: string): string =>
  `${showValue(String(path.at(-1) ?? ''))} ${message}`;

/** Of the forms that a value may have, the one it comes nearest to; undefined when no one does. */
function likeliestBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const ranked = branches
    .map((issues) => ({ issues, misfit: misfit(issues) }))
    .toSorted((a, b) => a.misfit - b.misfit);
  const [best, next] = ranked;
  if (best === undefined || best.misfit === Number.POSITIVE_INFINITY) return undefined;
  return next !== undefined && next.misfit === best.misfit ? undefined : best.issues;
}

/** How far an object is from a form: keys that it lacks, and keys that the form does not know. */
function misfit(issues: readonly Issue[]): number {
  return issues.reduce((sum, issue) => {
    if (issue.code === 'unrecognized_keys') return sum + issue.keys.length;
    if (issue.path.length === 0) return Number.POSITIVE_INFINITY;
    return sum + (issue.code === 'invalid_type' && issue.input === undefined ? 1 : 0);
  }, 0);
}

function wrongValue(issue: Issue, path: Path, source: Positions): Problem {
  const rule = sentenceOf(issue);
  if (!source.has(path)) return problem(path, missing(path, rule, source), source);
  const isSecret = path.some((step) => step === 'secrets' || namesASecret.test(String(step)));
  const value = isSecret ? undefined : source.sourceOf(path);
  return problem(path, sayValue(rule ?? expected(issue), value, issue), source);
}

function missing(path: Path, rule: string | undefined, source: Positions): string {
  const name = formatPath(path.slice(source.existing(path).length));
  const isWhole = rule !== undefined && !/^(?:is|must|contains|may) /.test(rule);
  const description = descriptionOf(path)?.replace(/\.$/, '');
  if (isWhole) return `${name} is missing; ${rule}`;
  return description === undefined ? `${name} is missing` : `${name} is missing: ${description}`;
}

/** The schema's own sentence; undefined where it has none and zod's would stand. */
function sentenceOf(issue: Issue): string | undefined {
  return issue.message.startsWith('Invalid ') || issue.message.startsWith('Too ') ? undefined : issue.message;
}

const articles: Readonly<Record<string, string>> = {
  string: 'a string',
  number: 'a number',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping (key: value)',
  record: 'a mapping (key: value)',
};

function expected(issue: Issue): string {
  if (issue.code === 'too_big') return `must have at most ${issue.maximum} entries`;
  if (issue.code !== 'invalid_type') return issue.message;
  return `must be ${articles[issue.expected] ?? issue.expected}`;
}

/** Put the value where the sentence wants it: before a predicate, after a rule. */
function sayValue(rule: string, value: string | undefined, issue: Issue): string {
  if (value === undefined) return rule;
  if (issue.input === null) return `${rule}; nothing is given`;
  const isQuoted = typeof issue.input === 'string';
  if (issue.code === 'invalid_type' && issue.expected === 'string' && !isQuoted) {
    return `must be a quoted string: ${showValue(JSON.stringify(value))}${unquoted(value, issue.input)}`;
  }
  const shown =
    issue.code === 'invalid_type' && isQuoted ? JSON.stringify(showValue(value)) : showValue(value);
  if (/^(?:is|contains|may|begins) /.test(rule)) return `${shown} ${rule}`;
  return rule.includes('must') ? `${rule}, not ${shown}` : `${rule}; found ${shown}`;
}

/** What YAML makes of a value that should have been quoted. */
function unquoted(value: string, input: unknown): string {
  const read = Number.isNaN(input) ? 'a number' : JSON.stringify(input);
  return value === read ? '' : ` (YAML reads ${showValue(value)} as ${read})`;
}
