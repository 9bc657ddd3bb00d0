/**
 * Acts that may take longer than 10 s: a named unit is started, or adopted when it runs already, and then watched.
 * A killed worker, a cut line or an outage of Temporal does not stop it; cancelling the run does.
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { cancellationDetails, cancellationSignal, Context, heartbeat } from '@temporalio/activity';
import type { Endpoint, RunRef } from '../src/cluster/inputs.ts';
import { UnitResult } from '../src/cluster/state.ts';
import type { ActProgress } from '../src/cluster/act-progress.ts';
import { readRecord, writeFileAtomic } from '../src/process/files.ts';
import { UnitSpec } from '../src/process/supervise.ts';
import type { UnitOptions } from '../src/process/units.ts';
import { lookAtUnit, startTransientUnit, stopUnit } from '../src/process/units.ts';
import type { NodeContext } from './context.ts';
import { holdNode } from './ownership.ts';
import { demandFree } from './ports.ts';
import { demandRoom } from './room.ts';

export interface Act {
  /** Unit name without `.service`. */
  readonly unit: string;
  readonly generation: string;
  /** Title of the step, for the ledger. */
  readonly step: string;
  readonly run: RunRef;
  readonly file: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly secretFiles?: readonly string[];
  /** Where it writes much beside our root. */
  readonly writesTo?: readonly string[];
  /** Where the unit will listen; a stranger there is told before anything is started. */
  readonly ports?: readonly Endpoint[];
  readonly options: UnitOptions;
  /**
   * Is what the unit does done already? Asked when it is known not to run: one that ends between a look at its work
   * and a look at the unit would be started again. It may throw where an end is an error.
   */
  readonly isDone: () => Promise<boolean>;
  /** Done before the start, when the unit is known not to run and its work not to be done. */
  readonly prepare?: () => Promise<void>;
}

export const runFolder = (context: NodeContext, unit: string): string => `${context.layout.runs}/${unit}`;
export const logOf = (context: NodeContext, unit: string): string => `${runFolder(context, unit)}/log`;

/** How a unit's last program ended; null while it runs or when it never said. */
export async function readResult(context: NodeContext, unit: string): Promise<UnitResult | null> {
  return readRecord(`${runFolder(context, unit)}/result.json`, UnitResult);
}

const Generation = UnitSpec.pick({ generation: true });

/** The generation that a unit was last started for. */
export async function readGeneration(context: NodeContext, unit: string): Promise<string | null> {
  return (await readRecord(`${runFolder(context, unit)}/unit.json`, Generation))?.generation ?? null;
}

/** Did this act end well for this generation already? Then a worker died before it could say so. */
export async function hasEndedWell(context: NodeContext, unit: string, generation: string): Promise<boolean> {
  if ((await readGeneration(context, unit)) !== generation) return false;
  return (await readResult(context, unit))?.exitCode === 0;
}

/**
 * Start the unit of an act, unless it runs or its work is done. Returns whether this call started it. Throws DISK_FULL
 * and PORT_TAKEN before anything is started.
 */
export async function startAct(context: NodeContext, act: Act): Promise<boolean> {
  await holdNode(context, act.run);
  if ((await lookAtUnit(act.unit)).active || (await act.isDone())) return false;
  await act.prepare?.();
  for (const folder of [context.layout.root, ...(act.writesTo ?? [])]) await demandRoom(folder);
  await demandFree(act.ports ?? []);
  const folder = runFolder(context, act.unit);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await rm(`${folder}/result.json`, { force: true });
  // Each start begins a log of its own, since readiness is read from it; the one before is kept beside it.
  await rename(`${folder}/log`, `${folder}/log.before`).catch(() => undefined);
  await rm(`${folder}/log.older`, { force: true });
  const spec: UnitSpec = {
    unit: act.unit,
    generation: act.generation,
    step: act.step,
    run: act.run.fence.run,
    file: act.file,
    args: [...act.args],
    env: { ...act.env },
    cwd: context.layout.root,
    log: `${folder}/log`,
    result: `${folder}/result.json`,
    ledger: context.layout.ledger,
    secretFiles: [...(act.secretFiles ?? [])],
  };
  await writeFileAtomic(`${folder}/unit.json`, JSON.stringify(spec), { mode: 0o600 });
  return startTransientUnit(
    act.unit,
    [context.nodeBinary, `${context.payload}/unit.js`, `${folder}/unit.json`],
    act.options,
  );
}

const lookEveryMs = 250;
/** Asking systemd costs a process; the result file tells the usual end sooner. */
const askSystemdEveryMs = 3_000;

/**
 * Watch a unit until its program has ended. Heartbeats carry what `progress` answers. A cancelled run stops the unit;
 * a worker that shuts down, or an attempt that was given up, leaves it alone for the next attempt to adopt.
 */
export async function watchAct(
  context: NodeContext,
  unit: string,
  progress: () => Promise<ActProgress>,
  stopLimitMs: number,
): Promise<UnitResult | null> {
  const signal = cancellationSignal();
  let askedAt = -Infinity;
  let progressAt = -Infinity;
  const latest = latestOf(progress);
  for (;;) {
    if (signal.aborted) {
      if (cancellationDetails()?.cancelRequested === true) {
        await beating('stopping', () => stopUnit(unit, stopLimitMs));
      }
      throw signal.reason;
    }
    const result = await readResult(context, unit);
    if (result) return result;
    const now = performance.now();
    if (now - askedAt > askSystemdEveryMs) {
      askedAt = now;
      // A unit that is gone without a result was killed as a whole; look once more, it may just have ended.
      if (!(await lookAtUnit(unit)).active) return readResult(context, unit);
    }
    if (now - progressAt > 1_000) {
      progressAt = now;
      heartbeat({ v: 1, ...(await latest()) });
    }
    await sleep(lookEveryMs, signal);
  }
}

/**
 * What an act says of itself, or said last: to measure it may take a slow disk longer than a heartbeat may be late, and
 * nothing depends on it.
 */
function latestOf(progress: () => Promise<ActProgress>): () => Promise<ActProgress> {
  let last: ActProgress = {};
  let reading: Promise<void> | null = null;
  const read = async (): Promise<void> => {
    last = await progress().catch(() => last);
    reading = null;
  };
  return async () => {
    reading ??= read();
    await Promise.race([reading, sleep(lookEveryMs)]);
    return last;
  };
}

/** Heartbeat while work runs that cannot do it itself, so that it is not taken for the work of a dead worker. */
export async function beating<T>(phase: string, work: () => Promise<T>): Promise<T> {
  const context = Context.current();
  const beat = setInterval(() => {
    context.heartbeat({ v: 1, phase });
  }, 1_000);
  try {
    return await work();
  } finally {
    clearInterval(beat);
  }
}

/** Wait, at most until the signal comes. */
export async function sleep(ms: number, signal: AbortSignal = cancellationSignal()): Promise<void> {
  await new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
  });
}

/** Wait until `look` answers something, heartbeating; throws what `late` makes when the limit has passed. */
export async function until<T>(
  look: () => Promise<T | null>,
  limitMs: number,
  late: () => Error,
  everyMs = 300,
): Promise<T> {
  const end = performance.now() + limitMs;
  const signal = cancellationSignal();
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (signal.aborted) throw signal.reason;
    if (performance.now() > end) throw late();
    heartbeat({ v: 1 });
    await sleep(everyMs, signal);
  }
}

/** The last bytes of a log, as evidence; at most `max` bytes, cut at a line. */
export async function logTail(path: string, max = 1_200): Promise<string> {
  const file = await open(path, 'r').catch(() => null);
  if (!file) return '';
  try {
    const { size } = await file.stat();
    const length = Math.min(size, max);
    const { buffer } = await file.read({ buffer: Buffer.alloc(length), position: size - length });
    const text = buffer.toString('utf8');
    return (size > length ? text.slice(text.indexOf('\n') + 1) : text).trim();
  } finally {
    await file.close();
  }
}

/** Throw unless a unit of a one-time act ended well: DISK_FULL where the disk is, else what `otherwise` makes. */
export async function demandSuccess(
  context: NodeContext,
  unit: string,
  result: UnitResult | null,
  otherwise: (evidence: string, log: string) => Error,
): Promise<void> {
  if (result?.exitCode === 0) return;
  await demandRoom(context.layout.root);
  const log = logOf(context, unit);
  const how =
    result === null
      ? 'it was killed'
      : result.signal === null
        ? `exit ${String(result.exitCode)}`
        : result.signal;
  throw otherwise(`${how}: ${(await logTail(log)) || 'it printed nothing'}`, log);
}

/** A step that had nothing to do. */
export const unchanged = { changed: false } as const;
export interface Changed {
  readonly changed: boolean;
  /** What was done, for people. */
  readonly what?: string;
}
