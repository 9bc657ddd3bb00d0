/** A. Temporal and the way to it. */
import { deepEqual, ok } from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../../lab/host.ts';
import { killUnit } from '../../lab/ledger.ts';
import { until } from '../../lab/run.ts';
import { actOf, begunOnce, inMiddleOf, type Act } from '../acts.ts';
import type { Fault } from '../fault.ts';
import { servesOn } from '../gang.ts';
import { clusterFile, root } from '../places.ts';
import type { Scene } from '../scene.ts';

const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;
const port = 7233;

const temporal = (scene: Scene, verb: 'start' | 'stop') =>
  scene.head.exec(['systemctl', '--user', verb, 'windlass-temporal.service']);

const refused = servesOn({
  id: 'F01',
  group: 'A',
  step: 'up',
  crashPoint: 'before',
  title: 'Temporal refuses connections',
  invariants: all,
  inject: async (scene) => {
    await scene.head.rejectPort(port);
    return scene.up();
  },
  expect: { exit: 4, code: 'TEMPORAL_UNREACHABLE', within: 10 },
  judge: async (scene, { stdout }) => {
    ok(stdout.includes(`127.0.0.1:${String(port)} on ${scene.head.name}`), `its address is named: ${stdout}`);
    const { exit, stdout: said } = await scene.run(['status', clusterFile, '--json']);
    ok(
      exit === 4 && said.includes('"TEMPORAL_UNREACHABLE"'),
      `so does status, exit ${String(exit)}: ${said}`,
    );
  },
});

const killedFor = (seconds: number, act: Act): Fault => ({
  id: 'F02',
  group: 'A',
  step: act.step,
  crashPoint: 'during',
  title: `Server killed, back after ${String(seconds)} s with the same store`,
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await killUnit(scene.head, 'windlass-temporal');
    await temporal(scene, 'stop');
    go();
    // The length of the outage is the fault itself.
    await sleep(seconds * 1000);
    await temporal(scene, 'start');
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
  heal: async (scene) => void (await temporal(scene, 'start')),
});

/** Nobody is refused: connections stand, and nothing comes over them. */
const silentFor = (seconds: number, act: Act): Fault => ({
  id: 'F04',
  group: 'A',
  step: act.step,
  crashPoint: 'during',
  title: `The control worker and the nodes hear nothing of Temporal for ${String(seconds)} s`,
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await scene.head.dropPort(port);
    go();
    // The length of the silence is the fault itself.
    await sleep(seconds * 1000);
    await scene.head.heal();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: async (scene) => {
    await begunOnce(scene, act);
    ok(
      (await attempts(scene)).some((attempt) => attempt > 1),
      'an attempt was given up meanwhile',
    );
  },
});

/** Of every activity that was begun, which attempt it was. */
const attempts = async (scene: Scene): Promise<number[]> =>
  (await scene.histories()).flatMap(({ events }) =>
    events.flatMap(({ activityTaskStartedEventAttributes: each }) => each?.attempt ?? []),
  );

/** Scaled: a line of 64 kbit/s takes four times as long. */
const slowWay: Fault = {
  id: 'F06',
  group: 'A',
  step: 'whole run',
  title: 'The way to a node carries 256 kbit/s',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.worker.slow({ rateKbit: 256 });
    return scene.up();
  },
  expect: { exit: 0, within: 360 },
  judge: async (scene) => {
    const tried = await attempts(scene);
    ok(tried.length > 0, 'activities were run');
    deepEqual(
      tried.filter((attempt) => attempt !== 1),
      [],
      'no activity was tried twice',
    );
  },
};

async function loseStore(scene: Scene): Promise<void> {
  await killUnit(scene.head, 'windlass-temporal');
  await temporal(scene, 'stop');
  await scene.head.exec(['sh', '-c', 'rm "$1"/home/temporal.db*', 'sh', root]);
  await temporal(scene, 'start');
}

/** What serves is adopted. */
const emptyStore = servesOn({
  id: 'F03',
  group: 'A',
  step: 'serving',
  title: 'Server back with an empty store',
  invariants: all,
  inject: async (scene) => {
    await loseStore(scene);
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
});

const control = (scene: Scene, verb: 'freeze' | 'thaw') =>
  scene.head.exec(['systemctl', '--user', verb, 'windlass-control.service']);

/** Nobody makes the namespace anew, and after a minute the SDK of a node worker takes its refused polls for fatal. */
const noNamespace = servesOn({
  id: 'F95',
  group: 'A',
  step: 'serving',
  title: 'Server back with an empty store, its namespace away for more than a minute',
  invariants: all,
  inject: async (scene) => {
    await control(scene, 'freeze');
    await loseStore(scene);
    const gaveUp = async (host: Host): Promise<boolean> => {
      const since = `@${String(Math.floor(scene.since / 1000))}`;
      const argv = ['journalctl', '--no-pager', '-o', 'cat', '--since', since];
      return (await host.exec(argv, { user: 'root' })).stdout.includes('Worker failed');
    };
    for (const host of scene.hosts)
      await until(`a worker of ${host.name} fails`, () => gaveUp(host), { seconds: 120, everyMs: 500 });
    await control(scene, 'thaw');
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
  heal: async (scene) => void (await control(scene, 'thaw')),
});

export const temporalFaults: readonly Fault[] = [
  refused,
  killedFor(5, actOf('install wheels')),
  killedFor(60, actOf('stage model')),
  killedFor(5, actOf('launch server')),
  killedFor(600, actOf('join workers')),
  silentFor(90, actOf('install wheels')),
  slowWay,
  emptyStore,
  noNamespace,
];
