/** `windlass status`: what is true now, since when, and the evidence. `--probe` asks the server itself. */
import prettyMs from 'pretty-ms';
import type { Board } from '../cluster/board.ts';
import { apiAddress } from '../cluster/gang.ts';
import { stateInWords } from '../cluster/keeper.ts';
import { servedName } from '../cluster/models.ts';
import { clusterWorkflowId, keeperWorkflowId } from '../cluster/names.ts';
import { loadClusterFile } from '../config/load.ts';
import type { ClusterFile } from '../config/schema.ts';
import { Exit, fail } from '../errors.ts';
import { ago } from '../output/ago.ts';
import { explainError } from '../output/explain-error.ts';
import { table } from '../output/table.ts';
import { connectNode } from '../placing/reach.ts';
import { resolveSecrets } from '../placing/secrets.ts';
import { specOf } from '../placing/spec.ts';
import type { Environment } from '../process/environment.ts';
import type { SshConnection } from '../ssh/connection.ts';
import type { Stuck } from '../temporal/ask-run.ts';
import { runStuck } from '../temporal/ask-run.ts';
import type { AskedKeeper } from '../temporal/keeper.ts';
import { keptSentence } from '../temporal/kept.ts';
import type { LastRun } from '../temporal/last-run.ts';
import type { CommandContext } from './context.ts';
import { openStandingHome, warmTemporal } from './home-client.ts';
import type { ProbeResult } from './probe.ts';
import { probe } from './probe.ts';

/** A proof older than this says what was, not what is: such a cluster is called live, not ready. */
const proofHoldsMs = 5 * 60_000;

export type StatusWord =
  'ready' | 'live' | 'starting' | 'waiting' | 'stopping' | 'stuck' | 'down' | 'failed' | 'stopped';

export async function status(
  path: string,
  options: { probe?: boolean },
  context: CommandContext,
): Promise<number> {
  const { output } = context;
  const { file } = await loadClusterFile(path);
  const entry = file.nodes.find((node) => node.name === file.head);
  if (!entry) throw fail('INTERNAL', { message: 'no head' });
  warmTemporal();
  const connection = await connectNode(file, entry, context.env);
  try {
    const { run, keeper } = await readRuns(file, connection, context.env);
    const probed = options.probe === true ? await probeNow(file, connection, context) : null;
    const word = wordOf(run, keeper, probed);
    output.line(explain(file, { run, keeper, word, probed }));
    const failure = run?.failure ? explainError(run.failure).json.errors : null;
    output.result({
      ok: word === 'ready',
      status: word,
      run: run && { ...run, failure },
      keeper,
      probe: probed,
    });
    return word === 'waiting' || word === 'stuck' ? Exit.waitingForPerson : Exit.done;
  } finally {
    connection.close();
  }
}

async function readRuns(file: ClusterFile, head: SshConnection, env: Environment) {
  const home = await openStandingHome(file, head, env);
  const { askKeeper } = await import('../temporal/keeper.ts');
  const { readLastRun } = await import('../temporal/last-run.ts');
  try {
    const [run, keeper] = await Promise.all([
      readLastRun(home.client, file.name),
      askKeeper(home.client, file.name),
    ]);
    return { run, keeper };
  } finally {
    await home.close();
  }
}

async function probeNow(
  file: ClusterFile,
  head: SshConnection,
  { env }: CommandContext,
): Promise<ProbeResult> {
  const spec = specOf(file, () => '0'.repeat(16));
  const key = (await resolveSecrets(file, env)).get('apiKey') ?? null;
  return probe(head, { ...apiAddress(spec), servedName: servedName(spec), key });
}

/** The word for a cluster, from what the home knows of its last run and its keeper, and what a probe found. */
export function wordOf(
  run: LastRun | null,
  keeper: AskedKeeper | null,
  probed: ProbeResult | null,
): StatusWord {
  if (run?.status === 'RUNNING') {
    if (run.stuck) return 'stuck';
    if (run.board?.waitingFor) return 'waiting';
    return run.type === 'tearDownCluster' ? 'stopping' : 'starting';
  }
  // An answer is what is true now, whatever this home knows of how it came to be: its store may have been lost.
  if (probed?.ok === true) return 'ready';
  if (keeper?.waitingFor) return 'waiting';
  if (run === null && keeper === null) return 'down';
  if (run?.type === 'tearDownCluster') return run.failure === null ? 'stopped' : 'failed';
  // The service forgets a run a month after its end; the keeper that it has left goes on.
  if (probed || run?.report === null) return 'failed';
  const proof = Math.max(run?.report?.answer.at ?? 0, keeper?.answeredAt ?? 0);
  return Date.now() - proof < proofHoldsMs ? 'ready' : 'live';
}

interface Seen {
  readonly run: LastRun | null;
  readonly keeper: AskedKeeper | null;
  readonly word: StatusWord;
  readonly probed: ProbeResult | null;
}

export function explain(file: ClusterFile, { run, keeper, word, probed }: Seen): string {
  const rows = run === null ? [['  run', 'none of this cluster is known at this home']] : runRows(run);
  if (probed) rows.push(['  probe', probed.ok ? `answered in ${probed.ms} ms: ${probed.text}` : probed.text]);
  if (run !== null || keeper !== null) rows.push(...keeperRows(keeper));
  return [
    `${file.name}: ${word}`,
    table(rows),
    ...keptLines('this run', run),
    ...keptLines('the keeper', keeper),
    ...stuckLines(file, clusterWorkflowId(file.name), run?.stuck ?? null),
    ...stuckLines(file, keeperWorkflowId(file.name), keeper?.stuck ?? null),
    ...waitLines(run?.board ?? null),
    ...waitLines(keeper),
  ].join('\n');
}

function runRows({ type, run, startedAt, closedAt, report, board, failure }: LastRun): string[][] {
  const since = closedAt ?? startedAt;
  const rows = [
    ['  run', `${type} ${run}`],
    ['  since', `${new Date(since).toISOString()} (${ago(since)})`],
  ];
  if (report) {
    const { answer, api } = report;
    rows.push(['  proof', `${answer.tokens} tokens in ${answer.answerMs} ms, ${ago(answer.at)}`]);
    rows.push(['  API', `http://${api.address}:${api.port}/v1  model ${api.servedName}`]);
  }
  for (const row of board?.rows.filter((each) => each.endedAt === undefined) ?? []) {
    rows.push(['  now', `${row.node} · ${row.step} (${ago(row.startedAt)})`]);
  }
  if (failure) rows.push(['  ended', failure.message.split('\n')[0] ?? '']);
  return rows;
}

function keeperRows(keeper: AskedKeeper | null): string[][] {
  if (keeper === null) return [['  keeper', 'none: nobody watches the ranks']];
  if (keeper.state === 'stuck') return [['  keeper', 'stuck: nobody watches the ranks']];
  const { state, since, last, answeredAt } = keeper;
  const answered = answeredAt === null ? '' : `; the server answered it ${ago(answeredAt)}`;
  const rows = [
    ['  keeper', `${stateInWords(state)}, since ${new Date(since).toISOString()} (${ago(since)})${answered}`],
  ];
  if (last === null) return rows;
  const { lostAt, servesAt, what } = last;
  const then =
    servesAt === null
      ? 'not serving yet'
      : `serving again after ${prettyMs(servesAt - lostAt, { compact: true })}`;
  return [...rows, ['  lost', `${ago(lostAt)}, ${then}: ${what.split('\n')[0] ?? ''}`]];
}

/** After an upgrade; nothing is to be done about it. */
function keptLines(what: string, run: Pick<LastRun, 'keptBy'> | null): string[] {
  return run === null || run.keptBy === null ? [] : [`  ${what} ${keptSentence(run.keptBy)}`];
}

/** What a person can do about a run that stands still. */
function stuckLines({ temporal }: ClusterFile, workflow: string, stuck: Stuck | null): string[] {
  if (stuck === null) return [];
  const { message, advice } = runStuck({ options: temporal }, workflow, stuck);
  return [message, advice].map((line) => `  ${line}`);
}

/** In full, since every word of it is to be acted on. */
export function waitLines(run: Pick<Board, 'waitingFor'> | null): string[] {
  const waitingFor = run?.waitingFor;
  if (!waitingFor) return [];
  const since = `${new Date(waitingFor.since).toISOString()} (${ago(waitingFor.since)})`;
  return [`  waits for a person since ${since}`, ...waitingFor.what.split('\n').map((line) => `    ${line}`)];
}
