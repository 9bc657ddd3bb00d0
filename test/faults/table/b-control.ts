/** B. Control worker and command line. */
import { deepEqual, equal, match, notDeepEqual, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import { killUnit, readLedger } from '../../lab/ledger.ts';
import { until } from '../../lab/run.ts';
import { actOf, acts, begunOnce, inMiddleOf, type Act } from '../acts.ts';
import type { Fault, Outcome } from '../fault.ts';
import { gangOf } from '../gang.ts';
import { otherVersion, runningVersions } from '../other-version.ts';
import { clusterFile, root } from '../places.ts';
import { processesOf, type Running, type Scene } from '../scene.ts';
import { variantOf } from '../variant.ts';

const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;
/** A command that only lets go, or finds nothing to do. */
const atOnce = 15;

interface Status {
  readonly status: string;
  readonly run: { readonly run: string; readonly status: string } | null;
}
const statusOf = async (scene: Scene): Promise<Status> =>
  JSON.parse((await scene.run(['status', clusterFile, '--json'])).stdout) as Status;

interface Told {
  readonly run: string;
  readonly changes: number;
}
const runOf = ({ stdout }: Outcome): string => (JSON.parse(stdout) as Told).run;
const changesOf = ({ stdout }: Outcome): number => (JSON.parse(stdout) as Told).changes;

/** The run that the operator has let go of comes to its end by itself, and the step was begun once. */
async function endsAlone(scene: Scene, act: Act): Promise<void> {
  const { run, status } = await statusOf(scene);
  ok(['starting', 'ready', 'live'].includes(status), `status is ${status} while the run goes on`);
  await until(
    'the run ends with nobody attached',
    async () => (await statusOf(scene)).run?.status !== 'RUNNING',
    {
      seconds: bringUp,
      everyMs: 1_000,
    },
  );
  const after = await statusOf(scene);
  deepEqual(after.run?.run, run?.run, 'it is the same run');
  equal(after.run?.status, 'COMPLETED');
  await begunOnce(scene, act);
}

const letGo = (id: string, title: string, signal: NodeJS.Signals, exit: number, act: Act): Fault => ({
  id,
  group: 'B',
  step: act.step,
  crashPoint: 'during',
  title,
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    running.signal(signal);
    await running.ended;
    go();
    return running;
  },
  expect: { exit, within: atOnce },
  judge: (scene) => endsAlone(scene, act),
});

const twoAtOnce: Fault = {
  id: 'F14',
  group: 'B',
  step: 'start',
  title: 'Two `up` for one cluster at the same instant, twenty times',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    for (let round = 0; round < 19; round += 1) {
      const [one, other] = await Promise.all([scene.up().ended, scene.up().ended]);
      deepEqual([one.exit, other.exit], [0, 0], `round ${String(round)}: ${one.stdout}${other.stdout}`);
      // The later one may find that the other's run has ended; then its own has nothing to change.
      ok(
        runOf(one) === runOf(other) || [one, other].map(changesOf).includes(0),
        `two runs changed the nodes in round ${String(round)}`,
      );
    }
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
};

const differingFile: Fault = {
  id: 'F14',
  group: 'B',
  step: 'launch server',
  crashPoint: 'during',
  title: '`up` with another file while a run is under way',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const { go } = await inMiddleOf(scene, actOf('launch server'));
    go();
    const other = await variantOf(scene, 'port: 5000', 'port: 5001');
    return scene.start(['up', other, '--json']);
  },
  expect: { exit: 1, code: 'RUN_BUSY', within: 30 },
};

/** When `down` returns, nothing of a gang runs, and no step of `up` begins or ends any more. */
async function nothingMore(scene: Scene): Promise<void> {
  for (const host of scene.hosts) {
    const left = await processesOf(host, /windlass-(ray|engine|wheels|model)-/);
    deepEqual(
      left.map(({ commandLine }) => commandLine.join(' ')),
      [],
      `what is left on ${host.name}`,
    );
  }
  const lines = async () => Promise.all(scene.hosts.map((host) => readLedger(host)));
  const before = await lines();
  equal((await statusOf(scene)).status, 'stopped');
  deepEqual(await lines(), before, 'no step goes on after down has returned');
}

const downWhileUp = (act: Act): Fault => ({
  id: 'F15',
  group: 'B',
  step: act.step,
  crashPoint: 'during',
  title: '`down` while `up` runs',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    await inMiddleOf(scene, act);
    return scene.start(['down', clusterFile, '--json']);
  },
  expect: { exit: 0, within: 60 },
  judge: nothingMore,
});

/** All of it at once: the first bring-up of these hosts is in the middle of its work, and nothing of it may be left. */
const purgedWhileUp: Fault = {
  id: 'F15',
  group: 'B',
  step: 'purge',
  crashPoint: 'during',
  title: '`down --purge` while the first `up` runs',
  invariants: ['I1', 'I2', 'I3', 'I5', 'I7'],
  start: 'fresh',
  inject: async (scene) => {
    await inMiddleOf(scene, actOf('install wheels'));
    return scene.start(['down', clusterFile, '--purge', '--json']);
  },
  expect: { exit: 0, within: 90 },
  judge: async (scene) => {
    deepEqual(await scene.left(), []);
  },
};

/** Whatever has become of the home, nobody needs to clean up by hand. */
const purgedWithoutStore: Fault = {
  id: 'F89',
  group: 'B',
  step: 'purge',
  crashPoint: 'before',
  title: 'The store of the home is rubbish, and everything is purged',
  invariants: ['I1', 'I2', 'I3', 'I5', 'I7'],
  start: 'serving',
  inject: async (scene) => {
    await restartHome(scene, 'stop');
    await scene.head.exec([
      'sh',
      '-c',
      'for f in "$1"/home/temporal.db*; do echo rubbish > "$f"; done',
      'sh',
      root,
    ]);
    await restartHome(scene, 'start');
    return scene.start(['down', clusterFile, '--purge', '--json']);
  },
  expect: { exit: 0, within: 90 },
  judge: async (scene) => {
    for (const host of scene.hosts) await host.exec(['rm', '-rf', '/home/dgx/.cache/huggingface']);
    deepEqual(await scene.left(), []);
  },
};

const controlKilled = (act: Act): Fault => ({
  id: 'F16',
  group: 'B',
  step: act.step,
  crashPoint: 'during',
  title: 'Control worker killed',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await killUnit(scene.head, 'windlass-control');
    go();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
});

/** Everything that is not the act itself, at one moment; another command line finds the run. */
const allKilled = (act: Act): Fault => ({
  id: 'F86',
  group: 'B',
  step: act.step,
  crashPoint: 'during',
  title: 'Command line, control worker, Temporal and every node worker killed at once',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    const acting = await gangOf(scene, act.unit);
    notDeepEqual(acting, [], `the unit of ${act.step} runs`);
    running.signal('SIGKILL');
    await Promise.all([
      killUnit(scene.head, 'windlass-control'),
      killUnit(scene.head, 'windlass-temporal'),
      ...scene.hosts.map((host) => killUnit(host, 'windlass-node')),
    ]);
    await running.ended;
    deepEqual(await gangOf(scene, act.unit), acting, 'the act outlives them');
    go();
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
});

/** Somebody upgrades: another version takes the place of every worker, and ends the run that it found. */
function replaced(act: Act): Fault {
  let first: Running | undefined;
  return {
    id: 'F96',
    group: 'B',
    step: act.step,
    crashPoint: 'during',
    title: 'Another version of windlass is placed while a run is under way',
    invariants: all,
    start: act.start,
    inject: async (scene) => {
      const { running, go } = await inMiddleOf(scene, act);
      first = running;
      const before = await runningVersions(scene);
      const upgrade = scene.start(['up', clusterFile, '--json'], await otherVersion());
      const isReplaced = async () =>
        (await runningVersions(scene)).every((each, at) => each.endsWith('/node') && each !== before[at]);
      await scene.seen(upgrade, 'every worker is of the other version', isReplaced);
      go();
      return upgrade;
    },
    expect: { exit: 0, within: bringUp },
    judge: async (scene, outcome) => {
      const followed = await first?.ended;
      equal(followed?.exit, 0, 'the command that began it ends well');
      // To place a version takes a while, in which the run may have come to its end.
      ok(
        runOf(followed) === runOf(outcome) || changesOf(outcome) === 0,
        `two runs changed the nodes: ${followed.stdout}${outcome.stdout}`,
      );
      await begunOnce(scene, act);
    },
  };
}

/** A laptop that sleeps: the run needs nobody, and the command that follows it has only lost its sight. */
const lineCut = (act: Act, seconds: number): Fault => ({
  id: 'F87',
  group: 'B',
  step: act.step,
  crashPoint: 'during',
  title: `The operator’s line to the head is cut for ${String(seconds)} s`,
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await scene.head.isolateFrom('operator');
    go();
    // The length of the outage is the fault itself.
    await sleep(seconds * 1000);
    await scene.head.heal();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
});

/** The stop goes on at the home, as a bring-up does. */
const letGoOfDown: Fault = {
  id: 'F12',
  group: 'B',
  step: 'down',
  crashPoint: 'during',
  title: 'Ctrl-C once at `down`',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    const running = scene.start(['down', clusterFile, '--json']);
    await scene.seen(running, 'a unit of the gang has ended', async () => (await gangOf(scene)).length < 3);
    running.signal('SIGINT');
    return running;
  },
  expect: { exit: 130, within: bringUp },
  judge: async (scene) => {
    await until('the gang has ended', async () => (await gangOf(scene)).length === 0);
    await scene.demand(['down', clusterFile, '--json']);
  },
};

const downTwice: Fault = {
  id: 'F20',
  group: 'B',
  step: 'after down',
  title: '`down` where all is down already',
  invariants: ['I1', 'I2', 'I3', 'I7', 'I8'],
  start: 'prepared',
  inject: (scene) => Promise.resolve(scene.start(['down', clusterFile, '--json'])),
  expect: { exit: 0, within: atOnce },
  judge: (_scene, { stdout }) => {
    const { stopped } = JSON.parse(stdout) as { stopped: { what: string }[] };
    deepEqual([...new Set(stopped.map(({ what }) => what))], ['nothing was running']);
    return Promise.resolve();
  },
};

const downOnFresh: Fault = {
  id: 'F20',
  group: 'B',
  step: 'fresh',
  title: '`down` where windlass has never been',
  invariants: ['I1', 'I2', 'I3', 'I7'],
  start: 'fresh',
  inject: async (scene) => {
    const before = await scene.snapshots();
    const outcome = await scene.run(['down', clusterFile]);
    match(outcome.stdout, /nothing to do/);
    deepEqual(await scene.snapshots(), before, 'a host is not as it was');
    return scene.start(['down', clusterFile, '--json']);
  },
  expect: { exit: 0, within: atOnce },
};

/** The service stores what it knows beside what the control worker is told; the disk of both has no room left. */
const homeDiskFull: Fault = {
  id: 'F77',
  group: 'B',
  step: 'up',
  crashPoint: 'before',
  title: 'The disk of the home is full',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const { head } = scene;
    await restartHome(scene, 'stop');
    await head.fillDisk(`${root}/home`, { freeBytes: 40_000 });
    await restartHome(scene, 'start');
    return scene.up();
  },
  // The service may still accept a run there, which nobody would ever begin.
  expect: { exit: 1, code: 'DISK_FULL', node: 'spark-ea8e', within: 15 },
  // The small disk is taken away, and what was written to it stays.
  heal: async (scene) => {
    await restartHome(scene, 'stop');
    await scene.head.exec(['sh', '-ec', takeDiskAway, 'sh', `${root}/home`], { user: 'root' });
    await restartHome(scene, 'start');
  },
};

const takeDiskAway = `
  mountpoint -q "$1" || exit 0
  kept=$(mktemp -d /run/home.XXXXXX)
  cp -a "$1/." "$kept"
  umount "$1"
  cp -a "$kept/." "$1"
  rm -rf "$kept"`;

/** As a broken upgrade or a bad disk would leave it: systemd starts it again and again, and the service is there. */
const workerBroken: Fault = {
  id: 'F98',
  group: 'B',
  step: 'up',
  crashPoint: 'before',
  title: 'The control worker cannot start',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.head.exec(['sh', '-ec', breakWorker, 'sh', root]);
    return scene.up();
  },
  expect: { exit: 5, code: 'RUN_STUCK', within: 120 },
  judge: async (scene) => {
    const { exit, stdout } = await scene.run(['status', clusterFile, '--json']);
    equal(exit, 5, stdout);
    match(stdout, /"status":"stuck".*control worker does not answer/);
  },
  heal: async (scene) => void (await scene.head.exec(['sh', '-ec', mendWorker, 'sh', root])),
};

const breakWorker = `
  worker=$1/workers/current/control-worker.js
  cp "$worker" "$1/control-worker.kept"
  echo 'process.exit(1);' >"$worker"
  systemctl --user restart windlass-control.service`;

const mendWorker = `
  [ -f "$1/control-worker.kept" ] || exit 0
  cat "$1/control-worker.kept" >"$1/workers/current/control-worker.js"
  rm "$1/control-worker.kept"
  systemctl --user restart windlass-control.service`;

const restartHome = (scene: Scene, verb: 'start' | 'stop') =>
  scene.head.exec(['systemctl', '--user', verb, 'windlass-temporal.service', 'windlass-control.service']);

const early = actOf('install wheels');
const late = actOf('launch server');

export const controlFaults: readonly Fault[] = [
  ...[early, late].flatMap((act) => [
    letGo('F12', 'Ctrl-C once', 'SIGINT', 130, act),
    letGo('F13', 'Command line killed', 'SIGKILL', -1, act),
    downWhileUp(act),
  ]),
  letGo('F13', 'Terminal closed', 'SIGHUP', -1, actOf('stage model')),
  purgedWhileUp,
  purgedWithoutStore,
  twoAtOnce,
  differingFile,
  ...acts.map(controlKilled),
  ...[early, late].map(allKilled),
  ...[early, late].map(replaced),
  lineCut(late, 120),
  letGoOfDown,
  downTwice,
  downOnFresh,
  homeDiskFull,
  workerBroken,
];
