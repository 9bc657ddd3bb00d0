/** I7: the answer of a command names code and node, and its exit code is right, in JSON and as text. */
import type { Expectation, Outcome } from '../fault.ts';

interface ErrorLine {
  readonly code: string;
  readonly node?: string;
  readonly step?: string;
  readonly message: string;
}

/** The errors in what a command printed with `--json`. */
export function errorsOf({ stdout }: Outcome): ErrorLine[] {
  const text = stdout.trim();
  if (text === '') return [];
  const answer = JSON.parse(text) as { errors?: ErrorLine[]; error?: ErrorLine };
  return answer.errors ?? (answer.error ? [answer.error] : []);
}

/** Sentences about what in the end of a command is not as expected. */
export function wrongEnd(expect: Expectation, outcome: Outcome): string[] {
  const sentences: string[] = [];
  if (outcome.exit !== expect.exit)
    sentences.push(
      `I7: exit ${String(outcome.exit)}, not ${String(expect.exit)}: ${outcome.stdout}${outcome.stderr}`,
    );
  if (outcome.seconds > expect.within)
    sentences.push(`I3: it took ${outcome.seconds.toFixed(1)} s, not ${String(expect.within)} s`);
  const errors = expect.code === undefined ? [] : errorsOf(outcome);
  if (expect.code !== undefined && !errors.some(({ code }) => code === expect.code))
    sentences.push(`I7: code ${errors.map(({ code }) => code).join(', ') || 'none'}, not ${expect.code}`);
  const { node } = expect;
  if (node !== undefined && !errors.some((error) => error.node?.includes(node)))
    sentences.push(`I7: no error names the node ${node}: ${outcome.stdout}`);
  return sentences;
}
