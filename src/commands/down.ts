/** `windlass down`: stop what runs started and prove that it is gone; `--purge` removes everything of ours. */
import { clusterWorkflowId, keeperWorkflowId } from '../cluster/names.ts';
import type { TearDownReport } from '../cluster/report.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile } from '../config/schema.ts';
import { Exit, Problems, WindlassError, collectProblems, fail } from '../errors.ts';
import { BoardView } from '../output/live-board.ts';
import type { ReachedNode } from '../placing/reach.ts';
import { named, reachNodes } from '../placing/reach.ts';
import { readScript } from '../placing/script-files.ts';
import { specOf } from '../placing/spec.ts';
import { execScript } from '../ssh/exec.ts';
import type { CommandContext } from './context.ts';
import { detached } from './detached.ts';
import { openHomeClient } from './home-client.ts';
import { placedNodes } from './placed-nodes.ts';

export interface DownOptions {
  readonly purge?: boolean;
}

export async function down(path: string, options: DownOptions, context: CommandContext): Promise<number> {
  const { output } = context;
  const { file } = await loadClusterFile(path);
  const reached = await reachNodes(file, context.env);
  try {
    demandOwn(file, reached);
    const placed = placedNodes(file.head, reached, { isPurge: options.purge === true });
    for (const { entry } of reached.filter((node) => placed.length > 0 && !placed.includes(node)))
      output.note(`${entry.name}: nothing of windlass is there`);
    const stopped = placed.length > 0 ? await stopRuns(file, placed, options, context) : null;
    if (stopped === null) output.line(`${file.name}: ${whyNothingWasStopped(file, reached)}`);
    const purged = options.purge === true ? await purge(file, reached, context) : [];
    output.result({ ok: true, stopped: stopped ?? [], purged });
    return Exit.done;
  } catch (error) {
    if (!(error instanceof LetGo)) throw error;
    return detached(
      file,
      [`go on:  windlass down ${path}${options.purge === true ? ' --purge' : ''}`],
      context,
    );
  } finally {
    for (const { connection } of reached) connection.close();
  }
}

function whyNothingWasStopped({ head }: ClusterFile, reached: readonly ReachedNode[]): string {
  const isPlaced = reached.some(({ facts }) => facts.state.identity !== null);
  return isPlaced
    ? `there is no windlass home on ${head}; nothing was stopped by one`
    : 'nothing of windlass is there; nothing to do';
}

/** Ctrl-C: the tear-down goes on at the home. */
class LetGo extends Error {}

/** What keeps a home from stopping a run, and nodes not from stopping all that is there. */
const needlessForPurge: readonly string[] = [
  'TEMPORAL_UNREACHABLE',
  'RUN_STUCK',
  'NODE_WORKER_SILENT',
  'FENCED',
];

function isNeedlessForPurge(error: unknown): error is Error {
  if (error instanceof Problems) return error.errors.every(isNeedlessForPurge);
  return error instanceof WindlassError && needlessForPurge.includes(error.code);
}

/** Stop what runs started, and say what that was. A purge needs no home for it: each node stops all that is ours. */
async function stopRuns(
  file: ClusterFile,
  placed: readonly ReachedNode[],
  { purge: isPurge = false }: DownOptions,
  context: CommandContext,
): Promise<TearDownReport['stopped']> {
  const { output } = context;
  try {
    const { changes, stopped } = await tearDown(file, placed, context);
    output.line(changes === 0 ? `${file.name}: nothing was running` : `${file.name}: stopped`);
    for (const { node, what } of stopped) output.line(`  ${node.padEnd(14)} ${what}`);
    return stopped;
  } catch (error) {
    if (!isPurge || !isNeedlessForPurge(error)) throw error;
    output.note(`${error.message}\nall is stopped and removed without it`);
    return [];
  }
}

/** Throws NODE_OWNED for every node of another cluster or home: what runs there is not ours to stop or to remove. */
function demandOwn(file: ClusterFile, reached: readonly ReachedNode[]): void {
  const homeId = reached.find(({ entry }) => entry.name === file.head)?.facts.state.identity?.id ?? null;
  const foreign = reached.flatMap(({ entry, facts: { state } }) => {
    const { owner, identity } = state;
    if (owner === null) return [];
    // A head that was purged or reinstalled has no id: its other nodes may be cleaned up, but not a home of its own.
    const isOfOtherHome = homeId === null ? owner.home === identity?.id : owner.home !== homeId;
    if (owner.cluster === file.name && !isOfOtherHome) return [];
    const error = fail('NODE_OWNED', { owner: owner.cluster, home: owner.home });
    error.node = `${entry.name} (${entry.address})`;
    return [error];
  });
  if (foreign.length > 0) throw new Problems(foreign);
}

async function tearDown(
  file: ClusterFile,
  placed: readonly ReachedNode[],
  context: CommandContext,
): Promise<TearDownReport> {
  const { output } = context;
  const { cancelRun, startRun } = await import('../temporal/runs.ts');
  const { followRun } = await import('../temporal/follow-run.ts');
  const head = placed.find((node) => node.entry.name === file.head);
  if (!head) throw fail('INTERNAL', { message: 'no head' });
  const home = await openHomeClient(file, head.connection, context.env);
  const onOutage = (away: boolean) => {
    output.note(away ? 'contact to the home was lost; waiting for it…' : 'contact again');
  };
  try {
    // First, since it would bring back what is stopped here.
    if (await cancelRun(home.client, keeperWorkflowId(file.name), onOutage))
      output.note('the keeper has ended');
    if (await cancelRun(home.client, clusterWorkflowId(file.name), onOutage))
      output.note('the run that was under way has been cancelled');
    const spec = specOf(
      { ...file, nodes: placed.map(({ entry }) => entry) },
      (entry) => placed.find((node) => node.entry === entry)?.facts.state.identity?.id ?? '',
    );
    const run = await startRun(home.client, 'tearDownCluster', spec);
    // From here on Ctrl-C lets go of the run.
    const { signal } = context;
    const view = new BoardView(output);
    try {
      return await followRun<TearDownReport>(home.client, run.handle, {
        signal,
        onOutage,
        wantsActivities: output.isLive,
        onBoard: (board, activities) => {
          if (output.isLive) view.show(board, activities);
        },
      });
    } catch (error) {
      throw signal.aborted ? new LetGo() : error;
    } finally {
      view.finish(null);
    }
  } finally {
    await home.close();
  }
}

/** The head goes last: its home serves the other nodes until they are gone. */
async function purge(
  file: ClusterFile,
  reached: readonly ReachedNode[],
  { output }: CommandContext,
): Promise<string[]> {
  const script = await readScript('purge');
  const one = (node: ReachedNode) =>
    named(node.entry, undefined, async () => {
      const result = await execScript(node.connection, script, [file.root], { timeoutMs: 300_000 });
      if (result.verdict !== 'exited' || result.exitCode !== 0) {
        throw fail('STOP_FAILED', { what: file.root, evidence: result.stderr.trim() || result.verdict });
      }
      output.line(`  ${node.entry.name.padEnd(14)} ${result.stdout.trim()}`);
      return node.entry.name;
    });
  const others = await collectProblems(reached.filter((node) => node.entry.name !== file.head).map(one));
  const head = await collectProblems(reached.filter((node) => node.entry.name === file.head).map(one));
  return [...others, ...head];
}
