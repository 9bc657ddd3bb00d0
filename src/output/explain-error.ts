/** Errors as text: what happened and where, its code and evidence, what to do. Nothing decides by this text. */
import { Problems, WindlassError, fail } from '../errors.ts';
import { escapeLines } from '../process/escape.ts';
import { isUnreachable } from '../temporal/grpc-code.ts';

export interface ExplainedError {
  readonly exitCode: number;
  /** Lines for people. */
  readonly text: string;
  /** The same for programs. */
  readonly json: { readonly ok: false; readonly errors: readonly object[] };
}

/** Explain any error; only a bug shows its stack. */
export function explainError(given: unknown): ExplainedError {
  // What is ours already knows better, also where such an error is behind it.
  const isKnown = given instanceof WindlassError || given instanceof Problems;
  const error = !isKnown && isUnreachable(given) ? wentAway(given) : given;
  if (error instanceof Problems) {
    return {
      exitCode: error.exitCode,
      text: error.errors.map(explainOne).join('\n'),
      json: { ok: false, errors: error.errors.map(jsonOf) },
    };
  }
  if (error instanceof WindlassError) {
    return {
      exitCode: error.exitCode,
      text: explainOne(error),
      json: { ok: false, errors: [jsonOf(error)] },
    };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    exitCode: 1,
    text: `✗ this is a defect of windlass; report it with these lines\n${stack}`,
    json: { ok: false, errors: [{ code: 'INTERNAL', message: stack.split('\n')[0] }] },
  };
}

/** A service that was there when the command began, and is not any more. */
const wentAway = (error: unknown): WindlassError =>
  fail(
    'TEMPORAL_UNREACHABLE',
    { address: 'the home', reason: error instanceof Error ? error.message : '' },
    error,
  );

/** These bring their own complete text. */
const selfExplaining = ['CLUSTER_FILE_INVALID', 'CHECKS_FAILED', 'USAGE'];

function explainOne(error: WindlassError): string {
  if (selfExplaining.includes(error.code)) return escapeLines(error.message);
  const where = [error.step, error.node].filter((each) => each !== undefined).join(' · ');
  const lines = [
    `✗ ${where === '' ? '' : `${where}: `}${error.message}`,
    `  ${error.code}`,
    ...error.advice
      .split('\n')
      .filter(Boolean)
      .map((line) => `  ${line}`),
  ];
  return lines.map(escapeLines).join('\n');
}

function jsonOf(error: WindlassError): object {
  return { ...error.details, message: error.message, advice: error.advice };
}
