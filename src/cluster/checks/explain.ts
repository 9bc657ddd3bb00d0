/** Check results as plain lines for a terminal, a log or an error message: at most 100 columns, all problems at once. */
import type { CheckResult, Verdict } from './check.ts';
import { groupBy } from './group.ts';

const columns = 100;
const widestNodes = 24;
const mostNames = 20;
const remedyIndent = '    ';

/** A problem that several nodes share is told once. */
interface Problem {
  readonly check: string;
  readonly nodes: readonly string[];
  readonly sentence: string;
  readonly remedy: string | undefined;
}

/** Failed checks first, then warnings; one line when there are neither. */
export function explainChecks(results: readonly CheckResult[]): string {
  const nodes = new Set(results.flatMap(({ node }) => (node === null ? [] : [node])));
  const failures = problemsOf(results, 'fail');
  const warnings = problemsOf(results, 'warn');
  const width = (cell: (problem: Problem) => string): number =>
    Math.max(0, ...[...failures, ...warnings].map((problem) => cell(problem).length));
  const layout = {
    check: width(({ check }) => check),
    nodes: width((problem) => nodesCell(problem, nodes.size)),
  };
  const block = (problems: readonly Problem[], heading: string): string[] =>
    problems.length === 0
      ? []
      : [heading, ...problems.flatMap((problem) => explain(problem, layout, nodes.size))];
  const lines = [
    ...block(
      failures,
      `✗ checks · ${counted('problem', results, 'fail', nodes.size)} (nothing has been changed)`,
    ),
    ...block(warnings, `! checks · ${counted('warning', results, 'warn', nodes.size)}`),
  ];
  return lines.length > 0 ? lines.join('\n') : `✓ checks · ${nothingFound(results.length, nodes.size)}`;
}

function nothingFound(checks: number, nodes: number): string {
  return `${plural(checks, 'check')} on ${plural(nodes, 'node')}, no problem`;
}

function counted(what: string, results: readonly CheckResult[], verdict: Verdict, total: number): string {
  const found = results.filter((result) => result.verdict === verdict);
  const nodes = new Set(found.flatMap(({ node }) => (node === null ? [] : [node])));
  const where = nodes.size === 0 ? '' : ` on ${nodes.size} of ${plural(total, 'node')}`;
  return `${plural(found.length, what)}${where}`;
}

function problemsOf(results: readonly CheckResult[], verdict: Verdict): Problem[] {
  const found = results.filter((result) => result.verdict === verdict);
  const groups = groupBy(found, ({ check, sentence, remedy }) => JSON.stringify([check, sentence, remedy]));
  return groups.flatMap(([, group]) => {
    const [first] = group;
    if (!first) return [];
    const nodes = group.flatMap(({ node }) => (node === null ? [] : [node]));
    return [{ check: first.check, nodes, sentence: first.sentence, remedy: first.remedy }];
  });
}

/** The names where there is room, else how many; a problem of the whole cluster has none. */
function nodesCell({ nodes }: Problem, total: number): string {
  if (nodes.length > 1 && nodes.length === total) return 'all nodes';
  const names = nodes.join(', ');
  return names.length <= widestNodes ? names : plural(nodes.length, 'node');
}

function explain(problem: Problem, layout: { check: number; nodes: number }, total: number): string[] {
  const cell = nodesCell(problem, total);
  const head = `  ${problem.check.padEnd(layout.check)}  ${layout.nodes > 0 ? `${cell.padEnd(layout.nodes)}  ` : ''}`;
  const indent = ' '.repeat(head.length);
  const isCounted = cell !== 'all nodes' && cell !== problem.nodes.join(', ');
  const text = isCounted ? `${problem.sentence} (${named(problem.nodes)})` : problem.sentence;
  const [first = '', ...rest] = wrap(text, columns - head.length);
  // Remedies begin far to the left: a command should stay on one line, so that it can be copied.
  const remedy = problem.remedy === undefined ? [] : wrap(problem.remedy, columns - remedyIndent.length - 2);
  return [
    head + first,
    ...rest.map((line) => indent + line),
    ...remedy.map((line, index) => `${remedyIndent}${index === 0 ? '→' : ' '} ${line}`),
  ];
}

function named(nodes: readonly string[]): string {
  const more = nodes.length - mostNames;
  return `${nodes.slice(0, mostNames).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

/** Break at spaces; a word that is longer than a line is cut, so that no line is ever wider. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ').flatMap((each) => pieces(each, width))) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  return word.match(new RegExp(`.{1,${width}}`, 'gu')) ?? [''];
}

function plural(count: number, what: string): string {
  return `${count} ${count === 1 ? what : `${what}s`}`;
}
