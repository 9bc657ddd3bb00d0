/** `windlass up`: reach, check, place, then start or join the run at the home and follow it to its end. */
import type { Board } from '../cluster/board.ts';
import { clusterWorkflowId } from '../cluster/names.ts';
import type { WaitingFor } from '../cluster/waits.ts';
import { isIdle } from '../cluster/waits.ts';
import type { BringUpReport } from '../cluster/report.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile } from '../config/schema.ts';
import { Exit, fail } from '../errors.ts';
import { BoardView } from '../output/live-board.ts';
import { explainReport } from '../output/report.ts';
import { lookAt } from '../placing/look.ts';
import { connectNodes, named } from '../placing/reach.ts';
import { resolveSecrets } from '../placing/secrets.ts';
import { specOf } from '../placing/spec.ts';
import { keptSentence } from '../temporal/kept.ts';
import type { CommandContext } from './context.ts';
import { detached } from './detached.ts';
import type { Standing } from './ensure-placed.ts';
import { ensurePlaced } from './ensure-placed.ts';
import { homeLimitMs, openHomeClient, startingHomeMs, warmTemporal } from './home-client.ts';

export interface UpOptions {
  readonly detach?: boolean;
}

/** Bring the cluster up. Returns the exit code. */
export async function up(path: string, options: UpOptions, context: CommandContext): Promise<number> {
  const { output, env } = context;
  const { file } = await loadClusterFile(path);
  const secrets = await resolveSecrets(file, env);
  warmTemporal();
  const looked = await connectNodes(file, env, async ({ entry, connection }) => ({
    entry,
    connection,
    look: await named(entry, undefined, () => lookAt(file, connection)),
  }));
  try {
    const standing = await ensurePlaced(file, looked, secrets, context);
    return await follow(path, file, standing, options, context);
  } finally {
    output.done();
    for (const { connection } of looked) connection.close();
  }
}

async function follow(
  path: string,
  file: ClusterFile,
  { placed, isNew }: Standing,
  options: UpOptions,
  context: CommandContext,
): Promise<number> {
  const { output } = context;
  const { startRun } = await import('../temporal/runs.ts');
  const { isNoSuchRun } = await import('../temporal/no-such-run.ts');
  const { followRun } = await import('../temporal/follow-run.ts');
  const head = placed.find((node) => node.entry.name === file.head);
  if (!head) throw fail('INTERNAL', { message: 'no head' });
  const limitMs = isNew ? startingHomeMs : homeLimitMs(head.look);
  const home = await openHomeClient(file, head.connection, context.env, limitMs);
  const next = [`follow it again:  windlass up ${path}`, `stop it:          windlass down ${path}`];
  const letGo = (): number => detached(file, next, context);
  try {
    const spec = specOf(file, (entry) => placed.find((node) => node.entry === entry)?.id ?? '');
    const run = await startRun(home.client, 'bringUpCluster', spec);
    if (!run.isNew) {
      output.note(`joined the run that is under way: ${clusterWorkflowId(file.name)}`);
      if (run.keptBy !== null) output.note(`it ${keptSentence(run.keptBy)}`);
      // Whoever runs this again has mended what it waited for, or has placed a node worker anew.
      await run.handle.signal('retryNode', {}).catch((error: unknown) => {
        if (!isNoSuchRun(error)) throw error;
      });
    }
    if (options.detach === true) return letGo();
    // From here on Ctrl-C lets go of the run.
    const { signal } = context;
    const view = new BoardView(output);
    let last: Board | null = null;
    try {
      const report = await followRun<BringUpReport>(home.client, run.handle, {
        signal,
        wantsActivities: output.isLive,
        onBoard: (board, activities) => {
          last = board;
          // Without a terminal nobody can be asked: the caller is told at once, and the run goes on waiting.
          if (board.waitingFor && isIdle(board.waitingFor) && !context.isInteractive)
            throw new WaitingForPerson(board.waitingFor);
          view.show(board, activities);
        },
        onOutage: (away) => {
          output.note(
            away ? 'contact to the home was lost; the run goes on there. Waiting for it…' : 'contact again',
          );
        },
      });
      view.finish(last);
      output.line(explainReport(report, file.nodes.length));
      output.result({ ok: true, ...report });
      return Exit.done;
    } catch (error) {
      view.finish(last);
      if (error instanceof WaitingForPerson) return waiting(error.waitingFor, output);
      if (signal.aborted) return letGo();
      throw error;
    }
  } finally {
    await home.close();
  }
}

class WaitingForPerson extends Error {
  readonly waitingFor: WaitingFor;

  constructor(waitingFor: WaitingFor) {
    super(waitingFor.what);
    this.waitingFor = waitingFor;
  }
}

function waiting({ node, since, what, all }: WaitingFor, output: CommandContext['output']): number {
  output.note(`⏸ waiting for a person since ${new Date(since).toISOString()}\n${what}`);
  const errors = all.map((each) => ({
    code: each.code,
    node: each.node,
    step: each.step,
    message: each.what,
  }));
  output.result({ ok: false, waiting: what, node, since, errors, exitCode: Exit.waitingForPerson });
  return Exit.waitingForPerson;
}
