/**
 * How long a start may go on without a sign of progress before it is called stuck: slow is not stuck, and only a person
 * knows how slow a machine is. Pure.
 */
import type { Phase } from './engine.ts';

/** Seconds, by phase; what is not named has the default. */
export type Patience = Readonly<Partial<Record<Phase, number>>>;

/** Starts that went well were silent for up to a minute or so, while a child compiled; observed on hardware. */
const defaultPatienceSeconds = 600;

/**
 * A rank that waits for a peer keeps a core busy as a compiler does. So computing alone counts as a sign only for so
 * many times as long; compilers were reported to be at work for 37 minutes at a first start.
 */
const silentFactor = 6;

/** When something was last seen of a start, in milliseconds: a line of its log, and any sign of work. */
export interface Signs {
  readonly lineAt: number;
  readonly workAt: number;
}

/** Why a start is stuck in a phase; null while it is not. */
export function stuckBecause(
  patience: Patience,
  phase: Phase,
  { lineAt, workAt }: Signs,
  now: number,
): string | null {
  const limitMs = (patience[phase] ?? defaultPatienceSeconds) * 1000;
  const seconds = (since: number): string => `${Math.round((now - since) / 1000)} s`;
  if (now - workAt > limitMs) return `no log line, no CPU time, no child process for ${seconds(workAt)}`;
  if (now - lineAt > silentFactor * limitMs)
    return `it computes, and no log line came for ${seconds(lineAt)}`;
  return null;
}
