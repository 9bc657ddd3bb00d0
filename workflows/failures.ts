/** Failures in workflow code: a plain error would retry the workflow task for ever, so everything becomes one of ours. */
import {
  ActivityFailure,
  ApplicationFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  TimeoutFailure,
  condition,
  isCancellation,
} from '@temporalio/workflow';
import type { ErrorCode, ErrorDetails } from '../src/errors.ts';
import { WindlassError, asError, codes, fail, isErrorCode } from '../src/errors.ts';

/** An error of the pure core as a failure that ends the workflow. */
export function workflowFailure(
  code: ErrorCode,
  data: Readonly<Record<string, unknown>>,
): ApplicationFailure {
  const error = fail(code, data);
  return ApplicationFailure.create({
    message: error.message,
    type: code,
    nonRetryable: true,
    details: [error.details],
  });
}

/** Run pure code; what it throws ends the workflow with its code. */
export function pure<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof WindlassError) throw workflowFailure(error.code, error.data);
    if (error instanceof Error) throw ApplicationFailure.nonRetryable(error.message, 'INTERNAL');
    throw error;
  }
}

/** Everything of ours that a failure holds: several, when several nodes failed. */
function problemsOf(error: unknown): ErrorDetails[] {
  let found: ErrorDetails[] = [];
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (!(each instanceof ApplicationFailure) || !isErrorCode(each.type)) continue;
    const details = (each.details ?? []) as (Partial<ErrorDetails> | null)[];
    found = details.flatMap((one) =>
      one && isErrorCode(one.code) ? [{ data: {}, ...one, code: one.code }] : [],
    );
    if (found.length === 0) found = [{ code: each.type, data: {} }];
  }
  return found;
}

/** The problems of a failure when a person can mend every one of them on the machines; null when waiting is in vain. */
export function personProblems(error: unknown): ErrorDetails[] | null {
  const problems = problemsOf(error);
  return problems.length > 0 && problems.every(({ code }) => codes[code].retry === 'person')
    ? problems
    : null;
}

/**
 * May the gang be stopped and started again after this? What a person has to mend beside it does not forbid that: the
 * stop proves that nothing is in the way, and waits for it.
 */
export function isGangFailure(error: unknown): boolean {
  const kinds = problemsOf(error).map(({ code }) => codes[code].retry);
  return kinds.includes('gang') && kinds.every((kind) => kind === 'gang' || kind === 'person');
}

/** Does it say that the engine's processes live, and nothing comes of it? */
export const isStuck = (error: unknown): boolean =>
  problemsOf(error).some(({ code }) => code === 'ENGINE_STUCK');

/** Failures are equal when they have the same code, on the same node, in the same step and phase, with the same exit. */
export function wayOf(error: unknown): string {
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (!(each instanceof ApplicationFailure)) continue;
    const { node, step, data } = (each.details?.[0] ?? {}) as Partial<ErrorDetails>;
    const { phase, exit } = data ?? {};
    return JSON.stringify([each.type, node, step, phase, exit]);
  }
  return sentenceOf(error);
}

/** Did nobody take the task within the limit, or whoever took it give no sign of life since? */
export function isNodeWorkerSilent(error: unknown): boolean {
  return (
    error instanceof ActivityFailure &&
    error.cause instanceof TimeoutFailure &&
    ['SCHEDULE_TO_START', 'HEARTBEAT'].includes(error.cause.timeoutType ?? '')
  );
}

/** Was a run cancelled, by Temporal's own cancel or by its signal? */
export function isCancelledRun(error: unknown): boolean {
  return isCancellation(error) || problemsOf(error).some(({ code }) => code === 'RUN_CANCELLED');
}

/** The node that a failure names first. */
export const nodeOf = (error: unknown): string | undefined =>
  problemsOf(error).find(({ node }) => node !== undefined)?.node;

/** For people: where it happened, what, and by which code. */
export function whereAndWhat(error: unknown): string {
  const [problem] = problemsOf(error);
  if (!problem) return sentenceOf(error);
  const { code, node, step } = problem;
  const where = [node, step].filter((each) => each !== undefined).join(' · ');
  return `${where === '' ? '' : `${where}: `}${sentenceOf(error)} (${code})`;
}

/** One line for people: the innermost message. */
export function sentenceOf(error: unknown): string {
  let message = String(error);
  for (let each: unknown = error; each instanceof Error; each = each.cause) message = each.message;
  return message;
}

/** Name the node and the step in a failure, keeping its code; cancellations pass as they are. */
export function located(error: unknown, node: string, step: string): unknown {
  if (isCancellation(error)) return error;
  // An act that could not be told, since its machine is gone, ends by its heartbeat limit; what ended it is the cancel.
  if (CancellationScope.current().consideredCancelled) return new CancelledFailure(sentenceOf(error));
  for (let each: unknown = error; each instanceof Error; each = each.cause) {
    if (!(each instanceof ApplicationFailure)) continue;
    const details = (each.details?.[0] ?? {}) as Record<string, unknown>;
    if ('node' in details && 'step' in details) return each;
    return ApplicationFailure.create({
      message: each.message,
      type: each.type ?? 'INTERNAL',
      nonRetryable: true,
      details: [{ code: each.type, data: {}, ...details, node, step }],
    });
  }
  return ApplicationFailure.create({
    message: sentenceOf(error),
    type: 'INTERNAL',
    nonRetryable: true,
    details: [{ code: 'INTERNAL', data: { message: sentenceOf(error) }, node, step }],
  });
}

/** Wait for all; throw one failure that holds every problem. */
export async function allOf<T>(work: readonly Promise<T>[]): Promise<T[]> {
  return valuesOf(
    await Promise.allSettled(work),
    (reasons) => reasons.find(isCancellation) ?? oneOf(reasons),
  );
}

/**
 * Do work side by side. When a part has failed the others are cancelled, as soon as `mayStop` allows it for those that
 * still run (by their places), and waited for; that they were cancelled is not told.
 */
export async function allUnlessOneFails<T extends readonly unknown[]>(
  work: { readonly [At in keyof T]: () => Promise<T[At]> },
  mayStop: (running: readonly number[]) => boolean = () => true,
): Promise<T> {
  const outside = CancellationScope.current();
  const parts = new CancellationScope();
  const stopping = new CancellationScope();
  const running = new Set(work.keys());
  let hasFailed = false;
  const all = work.map((each, at) =>
    parts
      .run(each)
      .catch((error: unknown) => {
        hasFailed = true;
        throw error;
      })
      .finally(() => running.delete(at)),
  );
  const stop = stopping
    .run(async () => {
      await condition(() => hasFailed && running.size > 0 && mayStop([...running]));
      parts.cancel();
    })
    .catch(() => undefined);
  const settled = await Promise.allSettled(all);
  stopping.cancel();
  await stop;
  return valuesOf(settled, (reasons) => {
    const own = outside.consideredCancelled ? [] : reasons.filter((reason) => !isCancellation(reason));
    return oneOf(own.length > 0 ? own : reasons);
  }) as unknown as T;
}

function valuesOf<T>(
  settled: readonly PromiseSettledResult<T>[],
  failureOf: (reasons: readonly Error[]) => Error,
): T[] {
  const reasons = settled.flatMap((each) => (each.status === 'rejected' ? [asError(each.reason)] : []));
  if (reasons.length > 0) throw failureOf(reasons);
  return settled.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
}

/** One failure that holds all. */
export function oneOf(reasons: readonly Error[]): Error {
  const [only] = reasons;
  if (only !== undefined && (reasons.length === 1 || isCancellation(only))) return only;
  const failures = reasons.map((reason) => (reason instanceof ChildWorkflowFailure ? reason.cause : reason));
  const first = failures.find((each) => each instanceof ApplicationFailure);
  return ApplicationFailure.create({
    message: failures.map(sentenceOf).join('; ').slice(0, 1500),
    type: first?.type ?? 'INTERNAL',
    nonRetryable: true,
    details: failures
      .flatMap((each) =>
        each instanceof ApplicationFailure ? (each.details ?? []) : [{ message: sentenceOf(each) }],
      )
      .slice(0, 8),
  });
}
