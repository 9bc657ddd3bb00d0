/**
 * Records histories for the replay test from the lab, by hand, once per release:
 * `node --import tsx test/replay/record.ts`. Build first. What is stored is never edited afterwards.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeeperStatus } from '../../src/cluster/keeper.ts';
import { until } from '../lab/run.ts';
import { Stage, repository } from '../lab/stage.ts';
import { version } from '../../src/version.ts';
import { demandAnonymous, withoutStacks } from './anonymous.ts';

const root = '/home/dgx/.local/share/windlass';
const file = join(repository, 'examples/lab.yaml');
const folder = join(repository, 'test/replay/histories', version);
const stage = await Stage.start({ name: 'record', log: console.log });

async function temporal(args: readonly string[]): Promise<string> {
  const binary = `${root}/workers/current/bin/temporal`;
  const { stdout } = await stage.lab
    .host('spark-ea8e')
    .exec([binary, 'workflow', ...args, '-o', 'json', '--namespace', 'windlass'], { user: 'dgx' });
  return stdout;
}

async function record(outcome: string, workflowId = 'cluster/lab'): Promise<void> {
  const history = withoutStacks(await temporal(['show', '-w', workflowId]));
  // Who started it says `pid@host` of the machine that recorded.
  const json = history.replaceAll(/"[0-9]+@[^"]+"/g, '"operator"');
  demandAnonymous(outcome, json);
  await writeFile(join(folder, `${outcome}.json`), json);
  console.log(`recorded ${outcome}`);
}

/** A keeper that has lost a rank and brought it back. */
async function recordKeeper(): Promise<void> {
  const kept = join(stage.lab.operator, 'kept.yaml');
  await writeFile(kept, (await readFile(file, 'utf8')).replace('enabled: false', 'enabled: true'));
  await stage.windlass(['up', kept]);
  const processes = await stage.lab.host('jetson-thor').processes();
  const rank = processes.find((each) => each.commandLine.join(' ').includes('ray::SchedulerActor'));
  if (!rank) throw new Error('no rank runs on jetson-thor');
  process.kill(rank.pid, 'SIGKILL');
  await until(
    'the keeper has brought it back',
    async () => {
      const { stdout } = await stage.windlass(['status', kept, '--json']);
      const { keeper } = JSON.parse(stdout) as { keeper: KeeperStatus | null };
      return keeper?.state === 'watches' && typeof keeper.last?.servesAt === 'number';
    },
    { seconds: 600, everyMs: 1_000 },
  );
  await record('kept', 'keeper/lab');
}

try {
  await mkdir(folder, { recursive: true });
  const first = await stage.windlass(['up', file]);
  if (first.exitCode !== 0) throw new Error(first.stdout + first.stderr);
  await record('done');
  const listed = JSON.parse(await temporal(['list', '--query', "WorkflowType='prepareNode'"])) as {
    execution: { workflowId: string };
  }[];
  await record('node-prepared', listed[0]?.execution.workflowId);
  await stage.windlass(['up', file]);
  await record('nothing-to-do');
  await recordKeeper();
  await stage.windlass(['down', file]);
  await record('torn-down');
  const swapped = join(stage.lab.operator, 'swapped.yaml');
  await writeFile(swapped, (await readFile(file, 'utf8')).replace('/sm110/simple', '/sm120/simple'));
  await stage.windlass(['up', swapped]);
  await record('wrong-wheels');
} finally {
  await stage.stop();
}
process.exit(0);
