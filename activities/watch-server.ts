/** Watch the engine on the head: its process, and every minute a real completion through all ranks. */
import { stat } from 'node:fs/promises';
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

/** How patiently the server is asked; milliseconds. */
interface Pace {
  readonly everyMs: number;
  /** An answer that comes later than this is late. */
  readonly limitMs: number;
  /** For so long an answer may be late while the log goes on. Whoever reads a server's figures makes it write lines, too. */
  readonly lateMs: number;
}
const usualPace: Pace = { everyMs: 60_000, limitMs: 120_000, lateMs: 600_000 };
/** The connections of an engine that dies break before its end is seen, and its last words say more. */
const endMs = 1_000;

/**
 * Lasts for as long as the server serves. Throws ENGINE_EXITED, SMOKE_FAILED for an answer that is none, and ENGINE_STUCK
 * where none comes.
 */
export const watchServer = (context: NodeContext, pace = usualPace) =>
  define(context, ServerInput, async (input): Promise<void> => {
    const engine = watchedBefore() ?? (await mainProcessOf(input.unit));
    if (engine.length === 0) throw await exited(context, input.unit);
    const over = new AbortController();
    const signal = AbortSignal.any([cancellationSignal(), over.signal]);
    const client = await apiClient(context, input, signal);
    let answer = {};
    const log = logOf(context, input.unit);
    const ask = async (): Promise<never> => {
      for (;;) {
        await sleep(pace.everyMs, signal);
        if (signal.aborted) throw signal.reason;
        answer = await answered(log, pace, (given) => client.answerBriefly(input.servedName, given));
      }
    };
    const watch = async (): Promise<never> => {
      await untilOneEnds(context, engine, signal, () => answer);
      throw await exited(context, input.unit);
    };
    const watching = watch();
    const asking = ask().catch(async (error: unknown) => {
      await Promise.race([watching, sleep(endMs, signal)]);
      throw error;
    });
    try {
      await Promise.race([watching, asking]);
    } finally {
      over.abort();
    }
  });

/**
 * Ask once, and wait for the answer: who asked anew would stand at the end of a queue again. Slow is not stuck: a server
 * under load answers late, and writes into its log all the time. One that hangs does neither, but for a line about the
 * question itself.
 */
async function answered<T>(
  log: string,
  { limitMs, lateMs }: Pace,
  ask: (given: AbortSignal) => Promise<T>,
): Promise<T> {
  const began = performance.now();
  const over = new AbortController();
  const stuck = async (): Promise<never> => {
    for (;;) {
      await sleep(limitMs, over.signal);
      if (over.signal.aborted) throw over.signal.reason;
      const lateFor = performance.now() - began;
      const isSilent = (await silenceOf(log)) >= limitMs / 2;
      if (!isSilent && lateFor < lateMs) continue;
      const besides = isSilent ? 'its log is silent, too' : 'though its log goes on';
      throw fail('ENGINE_STUCK', {
        phase: 'serving',
        why: `no answer for ${Math.round(lateFor / 1000)} s, ${besides}`,
        log,
      });
    }
  };
  try {
    return await Promise.race([ask(over.signal), stuck()]);
  } finally {
    over.abort();
  }
}

/** For how long nothing was written, in milliseconds; 0 where there is no log that could tell. */
const silenceOf = (log: string): Promise<number> =>
  stat(log).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  );

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
