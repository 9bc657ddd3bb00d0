/**
 * The fault suite: `npm run faults -- F43 --step "install wheels"`. One line for each fault; the last line counts, and
 * the exit code is 1 where one failed.
 */
import { Command } from 'commander';
import { ensureImages } from '../lab/lab.ts';
import { prepareStage } from '../lab/stage.ts';
import { keepEvidence } from './evidence.ts';
import type { Fault } from './fault.ts';
import { titleOf } from './fault.ts';
import { choose, type Choice } from './choose.ts';
import { core } from './core.ts';
import { dist } from './places.ts';
import { keptResults, record } from './results.ts';
import { runFault } from './run-fault.ts';
import { Scene } from './scene.ts';
import { table } from './table/index.ts';

const program = new Command('faults')
  .argument('[ids...]', 'faults to run, by id or by title; all where none is named')
  .option('--step <name>', 'only those that hit this step')
  .option('--group <letter>', 'only those of this group')
  .option('--core', 'only the core: every group and every invariant, chosen for speed')
  .option('--not-ok', 'only those whose last result is not ok')
  .option('--random <number>', 'draw so many', Number)
  .option('--seed <number>', 'where the drawing begins', Number)
  .option('--lab <name>', 'name of the lab', 'faults')
  .option('--labs <number>', 'how many labs share the work, side by side', Number, 2)
  .option('--list', 'say what there is, and run nothing');
program.parse();

interface Labs {
  readonly lab: string;
  readonly labs: number;
}

const options = program.opts<
  Choice & Labs & { readonly list?: true; readonly notOk?: true; readonly core?: true }
>();
const notOk = options.notOk === true ? await keptResults() : {};
const open = table.filter(
  (fault) =>
    notOk[titleOf(fault)]?.verdict !== 'ok' && (options.core !== true || core.includes(titleOf(fault))),
);
const { chosen, seed } = choose(open, program.args, options);
if (options.list) {
  for (const fault of chosen) console.log(`${titleOf(fault).padEnd(28)} ${fault.title}`);
} else if (chosen.length === 0) {
  console.error('no fault is of that kind; `npm run faults -- --list` names them');
  process.exitCode = 2;
} else {
  if (seed !== undefined) console.log(`seed ${String(seed)}`);
  process.exitCode = await runAll(chosen, options);
}
process.exit();

/** Every lab takes the next fault that none has taken, so that all end at about the same time. */
async function runAll(faults: readonly Fault[], { lab, labs }: Labs): Promise<number> {
  const waiting = [...faults];
  const names = Array.from({ length: Math.min(labs, faults.length) }, (_none, at) =>
    at === 0 ? lab : `${lab}-${String(at + 1)}`,
  );
  await prepareOnce();
  const failed = await Promise.all(names.map((name) => runOn(name, waiting)));
  const count = failed.reduce((sum, each) => sum + each, 0);
  console.log(`${String(faults.length + names.length - count)} passed, ${String(count)} failed`);
  return count === 0 ? 0 : 1;
}

/** On a machine that has run no lab before, two would install and build the same at once, each in the other's way. */
async function prepareOnce(): Promise<void> {
  const log = (said: string): void => {
    console.error(`faults: ${said}`);
  };
  await ensureImages(['x86_64'], log);
  await prepareStage({ dist, log });
}

/** Returns how many failed; that the hosts are in the end as they were counts as one more that can. */
async function runOn(lab: string, waiting: Fault[]): Promise<number> {
  const scene = await Scene.start(lab, waiting[0]?.start ?? 'fresh', (said) => {
    console.error(`${lab}: ${said}`);
  });
  let failed = 0;
  try {
    for (let fault = waiting.shift(); fault; fault = waiting.shift()) {
      if (!(await runOne(scene, fault))) failed += 1;
    }
    const left = await scene.finish();
    if (left.length > 0) failed += 1;
    console.log(`I5 I6 after all, ${lab} … ${left.length === 0 ? 'ok' : 'FAILED'}`);
    for (const problem of left) console.log(`  ${problem.slice(0, 3000)}`);
  } finally {
    await scene.stop();
  }
  return failed;
}

async function runOne(scene: Scene, fault: Fault): Promise<boolean> {
  const verdict = await runFault(scene, fault, async (problems) => {
    const kept = keepEvidence(scene, fault, problems).catch((error: unknown) => `nothing: ${String(error)}`);
    console.error(`${titleOf(fault)}: evidence in ${await kept}`);
  });
  const { seconds, problems, sceneBroken } = verdict;
  const isWell = problems.length === 0 && sceneBroken === undefined;
  console.log(`${titleOf(fault)} … ${isWell ? 'ok' : 'FAILED'} ${seconds.toFixed(1)} s`);
  for (const problem of problems) console.log(`  ${problem.slice(0, 2000)}`);
  if (sceneBroken !== undefined) console.log(`  the scene, not the fault: ${sceneBroken.slice(0, 2000)}`);
  await record(fault, verdict);
  return isWell;
}
