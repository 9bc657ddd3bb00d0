/** Watch the engine on the head: its process, and every minute a real completion through all ranks. */
import { cancellationSignal } from '@temporalio/activity';
import { ServerInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import type { ProcessIdentity } from '../src/process/identity.ts';
import { identityOf } from '../src/process/identity.ts';
import { lookAtUnit, membersOf } from '../src/process/units.ts';
import { logOf, logTail, readResult, sleep } from './acts.ts';
import { apiClient } from './api-client.ts';
import type { NodeContext } from './context.ts';
import { define } from './define.ts';
import { untilOneEnds, watchedBefore } from './watched.ts';

const askEveryMs = 60_000;
/** A server under load answers late; one that has lost a rank never does. */
const answerLimitMs = 120_000;

/** Lasts for as long as the server serves. Throws ENGINE_EXITED, or SMOKE_FAILED when it does not answer. */
export const watchServer = (context: NodeContext) =>
  define(context, ServerInput, async (input): Promise<void> => {
    const engine = watchedBefore() ?? (await mainProcessOf(input.unit));
    if (engine.length === 0) throw await exited(context, input.unit);
    const over = new AbortController();
    const signal = AbortSignal.any([cancellationSignal(), over.signal]);
    const client = await apiClient(context, input, signal);
    let answer = {};
    const ask = async (): Promise<void> => {
      for (;;) {
        await sleep(askEveryMs, signal);
        if (signal.aborted) throw signal.reason;
        answer = await client.answerBriefly(input.servedName, answerLimitMs);
      }
    };
    const watch = async (): Promise<void> => {
      await untilOneEnds(engine, signal, () => answer);
      throw await exited(context, input.unit);
    };
    try {
      await Promise.race([watch(), ask()]);
    } finally {
      over.abort();
    }
  });

async function mainProcessOf(unit: string): Promise<readonly ProcessIdentity[]> {
  const { controlGroup, mainPid } = await lookAtUnit(unit);
  const members = controlGroup === null ? [] : await membersOf(controlGroup);
  return members.filter(({ pid }) => pid === mainPid).map(identityOf);
}

async function exited(context: NodeContext, unit: string): Promise<Error> {
  const log = logOf(context, unit);
  const result = await readResult(context, unit);
  return fail('ENGINE_EXITED', {
    phase: 'serving',
    after: result === null ? 'some time' : `${Math.round((result.endedAt - result.startedAt) / 1000)} s`,
    exit: result?.exitCode ?? result?.signal ?? 'unknown',
    evidence: (await logTail(log, 600)) || 'it printed nothing',
    log,
  });
}
