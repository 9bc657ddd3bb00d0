/**
 * The door of every activity: input checked by schema, the machine's identity and its owner's policy compared, errors
 * given their code.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure, CancelledFailure, TemporalFailure } from '@temporalio/common';
import type { z } from 'zod';
import { WindlassError, codes, fail } from '../src/errors.ts';
import type { NodeContext } from './context.ts';
import { dieAt } from './crash-point.ts';
import { demandAllowed } from './policy.ts';

/** A download may fail because a line broke; after this many tries it will not do better. */
const fewTries = 4;

/**
 * How often each act has failed here. Temporal's own count of attempts also holds those that a node worker's death
 * used up, and a death says nothing about the act. A worker that dies forgets this count: a few tries more, never fewer.
 */
const failures = new Map<string, number>();

function actKey(): string {
  const { activityId, workflowExecution } = activityInfo();
  return `${workflowExecution?.runId ?? ''}/${activityId}`;
}

function isTriedAgain(error: WindlassError): boolean {
  const { retry } = codes[error.code];
  if (retry !== 'few') return retry === 'act';
  const count = (failures.get(actKey()) ?? 0) + 1;
  if (count < fewTries) failures.set(actKey(), count);
  else failures.delete(actKey());
  return count < fewTries;
}

/** Turn any error into what Temporal carries: our code as type, retryable or not, details of at most 4 KiB. */
function asFailure(error: unknown): Error {
  if (error instanceof TemporalFailure || error instanceof CancelledFailure) return error;
  if (error instanceof WindlassError) {
    return ApplicationFailure.create({
      message: error.message.slice(0, 1500),
      type: error.code,
      nonRetryable: !isTriedAgain(error),
      ...(codes[error.code].retry === 'few' && { nextRetryDelay: '5 seconds' }),
      details: [
        JSON.stringify(error.details).length <= 4096 ? error.details : { code: error.code, data: {} },
      ],
    });
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return ApplicationFailure.create({
    message: message.slice(0, 1500),
    type: 'INTERNAL',
    nonRetryable: false,
  });
}

/** Make an activity from a schema and a function. The input must name this machine. */
export function define<Schema extends z.ZodType<{ readonly node: string }>, Result>(
  context: NodeContext,
  schema: Schema,
  act: (input: z.output<Schema>) => Promise<Result>,
): (input: z.input<Schema>) => Promise<Result> {
  return async (input) => {
    try {
      const parsed = schema.safeParse(input);
      if (!parsed.success) {
        throw fail('SPEC_INVALID', {
          problems: parsed.error.issues
            .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
            .join('; ')
            .slice(0, 1000),
        });
      }
      if (parsed.data.node !== context.id) {
        throw fail('NODE_MISMATCH', { found: context.id, expected: parsed.data.node });
      }
      await demandAllowed(context, parsed.data);
      if (globalThis.WINDLASS_CRASH_POINTS) await dieAt(context, 'before-act');
      const result = await act(parsed.data);
      if (globalThis.WINDLASS_CRASH_POINTS) await dieAt(context, 'after-act');
      failures.delete(actKey());
      return result;
    } catch (error) {
      throw asFailure(error);
    }
  };
}
