/** What a run that waits for a person says: for what, since when, and how to answer. Pure, for workflow and program. */
import { fail } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';

/** One thing that is waited for. */
export interface Wait {
  /** Name of the node that it concerns. */
  readonly node: string;
  readonly step: string;
  readonly code: ErrorCode;
  /** Milliseconds since 1970. */
  readonly since: number;
  /** What happened and what to do; lines after the first begin with two spaces. */
  readonly what: string;
  /** What going on despite it would mean; null where that is not safe or would only fail again. */
  readonly approval: string | null;
  /** It is being looked at again just now: what is said here was found before. */
  readonly isLookedAt?: true;
}

/** What waits longest, with the words of all in `what`, how to answer included. */
export interface WaitingFor extends Pick<Wait, 'node' | 'since' | 'what'> {
  readonly all: readonly Wait[];
}

/** `answers`: the lines that say how to answer. */
export function waitingForOf(
  waits: readonly Wait[],
  answers: (waits: readonly Wait[]) => readonly string[] = answersTo,
): WaitingFor | null {
  const all = waits.toSorted((a, b) => a.since - b.since);
  const [longest] = all;
  if (!longest) return null;
  const { node, since } = longest;
  return { node, since, what: [...all.map(({ what }) => what), ...answers(all)].join('\n'), all };
}

/** Does it wait for a person, and not for the end of a look that a person or the time has asked for? */
export const isIdle = ({ all }: WaitingFor): boolean => all.some(({ isLookedAt }) => isLookedAt !== true);

/** How many lines at the end of `what` say how to answer. */
export const answerLines = 3;

/** The commands, each with the signal that does the same from the Temporal UI; FILE is the cluster file. */
function answersTo(waits: readonly Wait[]): string[] {
  const [only, ...others] = waits;
  const node = others.length === 0 ? ` ${only?.node ?? ''}` : ' [NODE]';
  const meanings = [...new Set(waits.flatMap(({ approval }) => approval ?? []))];
  const meaning = meanings.length === 0 ? 'of no use here' : meanings.join('; ');
  return [
    `  windlass retry FILE${node}: look again now (signal retryNode)`,
    `  windlass approve FILE${node}: ${meaning} (signal approve)`,
    '  windlass cancel FILE: end the run (signal cancel)',
  ];
}

/** What an error of the table asks of a person, in one place for every step. */
export function wantOf(code: ErrorCode, data: Readonly<Record<string, unknown>>, where: string): string {
  const error = fail(code, data);
  return [`${where}: ${error.message} (${code})`, ...(error.advice === '' ? [] : [`  ${error.advice}`])].join(
    '\n',
  );
}

const hour = 3_600_000;

/** However long it has waited, a run looks by itself this often at least. */
const longestPauseMs = 12 * hour;

/**
 * How long to wait until the next look without a person: half of the time that it has waited already. That finds what
 * was mended soon after, and holds a week of waiting below 40 looks, which is some hundred events of a history.
 */
export function pauseMs(waitedMs: number, leastMs: number): number {
  return Math.round(Math.min(Math.max(waitedMs / 2, leastMs), longestPauseMs));
}
