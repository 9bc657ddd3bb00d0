// Compares an engine log with the kinds of line that the real engine was seen to print, in their order, for the
// launcher and for each rank by itself: ranks run at the same time, so only their own lines have an order.

import { stripVTControlCharacters } from 'node:util';

/** One kind of line. */
export interface LogKind {
  readonly from: 'launcher' | 'every rank' | 'first rank';
  readonly name: string;
  readonly pattern: RegExp;
  /**
   * `once` (the default): exactly once, in its place. `again`: in its place, and maybe again later.
   * `somewhere`: at least once, at any place. `maybe`: at any place, or not at all.
   */
  readonly times?: 'once' | 'again' | 'somewhere' | 'maybe';
}

/** What is not as it should be: which process, which kind or line, and how. */
export interface LogDifference {
  readonly process: string;
  readonly problem: 'missing' | 'twice' | 'out of order' | 'unknown line';
  readonly what: string;
}

/** All differences between a log and the kinds of line it should have; empty when there are none. */
export function compareLog(log: string, kinds: readonly LogKind[]): LogDifference[] {
  return [...splitLog(log)].flatMap(([process, lines]) => {
    const wanted = kinds.filter(({ from }) => appliesTo(from, process));
    return compareLines(process, lines, wanted);
  });
}

function appliesTo(from: LogKind['from'], process: string): boolean {
  if (from === 'launcher') return process === 'launcher';
  return from === 'every rank' ? process !== 'launcher' : process === 'rank 0';
}

/** Lines by process: `launcher`, `rank 0`, `rank 1`, …; colours, time stamps of a transcript and Ray's prefixes cut off. */
function splitLog(log: string): Map<string, string[]> {
  const byActor = new Map<string, string[]>([['launcher', []]]);
  const plain = stripVTControlCharacters(log).replaceAll(/\](?=\[\d{4}-\d\d-\d\d [\d:]+ DP0 PP)/g, ']\n');
  let last = 'launcher';
  for (const raw of plain.split('\n')) {
    const line = raw.replace(/^ {0,6}\d+\.\d\d (?=.)/, '');
    if (/^(?:#|\$ |EXIT |\s*$)/.test(line)) continue;
    const [, actor, text] = /^\(SchedulerActor (pid=[^)]*)\) ?(.*)$/.exec(line) ?? [];
    // A progress bar begins with a line break, so what follows it has lost Ray's prefix.
    const process = actor ?? (/^Multi-thread |^\[\d{4}[^\]]* PP\d/.test(line) ? last : 'launcher');
    if (actor !== undefined) last = actor;
    const lines = byActor.get(process) ?? [];
    byActor.set(process, lines);
    if ((text ?? line) !== '') lines.push(text ?? line);
  }
  return new Map(
    [...byActor].map(([actor, lines]) => [actor === 'launcher' ? actor : rankOf(lines, actor), lines]),
  );
}

function rankOf(lines: readonly string[], actor: string): string {
  const [, rank] = /\bPP(\d+)\]/.exec(lines.join('\n')) ?? [];
  return rank === undefined ? actor : `rank ${rank}`;
}

function compareLines(process: string, lines: readonly string[], kinds: readonly LogKind[]): LogDifference[] {
  const differences: LogDifference[] = [];
  const seen = new Map<LogKind, number>();
  let reached = -1;
  for (const line of lines) {
    const at = kinds.findIndex(({ pattern }) => pattern.test(line));
    const kind = kinds[at];
    if (!kind) {
      differences.push({ process, problem: 'unknown line', what: line });
      continue;
    }
    const count = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, count);
    const { times = 'once', name } = kind;
    if (times === 'once' && count > 1) differences.push({ process, problem: 'twice', what: name });
    if (count > 1 || times === 'somewhere' || times === 'maybe') continue;
    if (at < reached) differences.push({ process, problem: 'out of order', what: name });
    reached = Math.max(reached, at);
  }
  const missing = kinds.filter((kind) => kind.times !== 'maybe' && !seen.has(kind));
  return [
    ...differences,
    ...missing.map(({ name }) => ({ process, problem: 'missing' as const, what: name })),
  ];
}
