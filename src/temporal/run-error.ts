/** How a run failed, as an error of ours. */
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure, CancelledFailure, TerminatedFailure, TimeoutFailure } from '@temporalio/common';
import type { ErrorDetails } from '../errors.ts';
import { Problems, WindlassError, fail, isErrorCode } from '../errors.ts';
import { isNoSuchRun } from './no-such-run.ts';

/** The failure of a run as our error, with code, node and step. */
export function runError(error: unknown): unknown {
  if (isNoSuchRun(error)) return fail('RUN_LOST', {}, error);
  if (!(error instanceof WorkflowFailedError)) return error;
  for (let each: unknown = error.cause; each instanceof Error; each = each.cause) {
    if (each instanceof CancelledFailure || each instanceof TerminatedFailure) return fail('RUN_CANCELLED');
    if (each instanceof ApplicationFailure) return ofFailure(each);
    if (each instanceof TimeoutFailure && !each.cause) return fail('INTERNAL', { message: each.message });
  }
  return error;
}

function ofFailure(failure: ApplicationFailure): Error {
  const details = (failure.details ?? []) as (ErrorDetails | undefined)[];
  const errors = details.flatMap((each) => (each && isErrorCode(each.code) ? [ofDetails(each)] : []));
  if (errors.length > 1) return new Problems(errors);
  return (
    errors[0] ?? fail(isErrorCode(failure.type) ? failure.type : 'INTERNAL', { message: failure.message })
  );
}

function ofDetails({ code, data, node, step }: ErrorDetails): WindlassError {
  const error = new WindlassError(code, data);
  if (node !== undefined) error.node = node;
  if (step !== undefined) error.step = step;
  return error;
}
