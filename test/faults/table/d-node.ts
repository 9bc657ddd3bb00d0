/** D. Node worker and node. */
import { equal, notEqual, ok } from 'node:assert/strict';
import { activityIdOf } from '../../../src/cluster/names.ts';
import { killUnit, unitPids } from '../../lab/ledger.ts';
import { until } from '../../lab/run.ts';
import { actOf, acts, begunOnce, inMiddleOf, type Act } from '../acts.ts';
import type { Fault } from '../fault.ts';
import { servesOn } from '../gang.ts';
import { resultsOf } from '../judge/histories.ts';
import { clusterFile, root } from '../places.ts';
import { linesOf, processesOf, type Running, type Scene } from '../scene.ts';

/** A bring-up of two hosts takes under a minute here; what a fault adds stands beside it. */
const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;

const workerPid = async (scene: Scene, act: Act): Promise<string | undefined> =>
  (await unitPids(act.host(scene)))['windlass-node.service'];

const programOf = async (scene: Scene, act: Act): Promise<string> =>
  (await processesOf(act.host(scene), act.unit))
    .filter(({ commandLine }) => commandLine.some((word) => word.endsWith('/unit.js')))
    .map(({ pid, startTime }) => `${String(pid)} since ${String(startTime)}`)
    .join();

/** Have the node worker die at a named point of a step, and see that it did. */
async function dieAt(scene: Scene, act: Act, point: 'before-act' | 'after-act'): Promise<Running> {
  const host = act.host(scene);
  const before = await workerPid(scene, act);
  await host.writeFile(`${root}/crash-at`, `${act.step}/${point}\n`);
  const running = scene.up();
  await scene.seen(running, `the node worker died at ${act.step}/${point}`, async () =>
    host.readFile(`${root}/crash-at`).then(
      () => false,
      () => true,
    ),
  );
  await until(
    'the node worker is back',
    async () => ![before, '0', undefined].includes(await workerPid(scene, act)),
  );
  return running;
}

const killedBefore = (act: Act): Fault => ({
  id: 'F42',
  group: 'D',
  step: act.step,
  crashPoint: 'before',
  title: 'Node worker killed before it begins the act',
  invariants: all,
  start: act.start,
  inject: (scene) => dieAt(scene, act, 'before-act'),
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
});

const killedDuring = (act: Act): Fault => ({
  id: 'F43',
  group: 'D',
  step: act.step,
  crashPoint: 'during',
  title: 'Node worker killed during the act',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    const [worker, program] = [await workerPid(scene, act), await programOf(scene, act)];
    notEqual(program, '', `the unit of ${act.step} runs`);
    await killUnit(act.host(scene), 'windlass-node');
    await until(
      'the node worker is back',
      async () => ![worker, '0', undefined].includes(await workerPid(scene, act)),
    );
    equal(await programOf(scene, act), program, 'the act outlives the node worker');
    go();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
});

const killedAfter = (act: Act): Fault => ({
  id: 'F44',
  group: 'D',
  step: act.step,
  crashPoint: 'after',
  title: 'Node worker killed after the act, before its result is recorded',
  invariants: all,
  start: act.start,
  inject: (scene) => dieAt(scene, act, 'after-act'),
  expect: { exit: 0, within: bringUp },
  judge: async (scene) => {
    await begunOnce(scene, act);
    const id = activityIdOf(act.step, act.host(scene).name);
    const results = resultsOf(await scene.histories(), id) as { changed?: boolean }[];
    equal(results.length, 1, `${id} is completed once: ${JSON.stringify(results)}`);
    equal(results[0]?.changed, false, `the retry of ${id} observes and changes nothing`);
  },
});

const systemctl = (scene: Scene, act: Act, verb: 'freeze' | 'thaw') =>
  act.host(scene).exec(['systemctl', '--user', verb, 'windlass-node.service']);

const frozen = (act: Act): Fault => ({
  id: 'F45',
  group: 'D',
  step: act.step,
  crashPoint: 'during',
  title: 'Node worker frozen until its attempt was given up, then thawed',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await systemctl(scene, act, 'freeze');
    const id = activityIdOf(act.step, act.host(scene).name);
    await scene.seen(
      running,
      'the service has given up the first attempt',
      async () => (await scene.pendingAttempts(id)) >= 2,
    );
    await systemctl(scene, act, 'thaw');
    go();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: (scene) => begunOnce(scene, act),
  heal: async (scene) => void (await systemctl(scene, act, 'thaw')),
});

const powerCut = (act: Act): Fault => ({
  id: 'F48',
  group: 'D',
  step: act.step,
  crashPoint: 'during',
  title: 'Node loses power in the act, and is back',
  invariants: all,
  start: act.start,
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, act);
    await act.host(scene).reboot();
    go();
    return running;
  },
  expect: { exit: 0, within: bringUp + 120 },
  judge: async (scene) => {
    const began = (await linesOf(act.host(scene), act.step, scene.since)).filter(
      ({ what }) => what === 'began',
    );
    ok(began.length >= 2, `${act.step} was begun again after the boot`);
  },
});

const powerCutWhileServing: Fault = {
  id: 'F48',
  group: 'D',
  step: 'serving',
  title: 'Node loses power while the cluster serves, and is back',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    await scene.worker.reboot();
    return scene.up();
  },
  expect: { exit: 0, within: bringUp + 120 },
};

const wipe = (scene: Scene) => scene.worker.exec(['sh', '-c', 'chmod -R u+w "$1"; rm -rf "$1"', 'sh', root]);

const stateWiped: Fault = {
  id: 'F52',
  group: 'D',
  step: 'serving',
  title: 'The state directory of a node is wiped while the cluster serves',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    await wipe(scene);
    return scene.up();
  },
  expect: { exit: 0, within: bringUp + 120 },
};

/** Ray goes on in files that are gone; whether it still can what a gang needs shows when an engine starts on it. */
const engineAfterWipe: Fault = {
  id: 'F52',
  group: 'D',
  step: 'launch server',
  crashPoint: 'before',
  title: 'The state directory of a node was wiped while it served, and the engine starts again',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    await wipe(scene);
    await scene.demand(['up', clusterFile, '--json']);
    await scene.head.exec(['systemctl', '--user', 'stop', 'windlass-engine-*']);
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
};

/** The host's own `date`, which its facts are read by: the clock itself is the machine's, and every host's. */
const shim = '/usr/local/bin/date';

const clockSetBack = servesOn({
  id: 'F73',
  group: 'D',
  step: 'checks',
  crashPoint: 'before',
  title: 'The clock of a node was set back a day',
  invariants: all,
  inject: async (scene) => {
    await scene.worker.writeFile(shim, '#!/bin/sh\nexec /bin/date -d \'-1 day\' "$@"\n', { user: 'root' });
    await scene.worker.exec(['chmod', '755', shim], { user: 'root' });
    return scene.up();
  },
  // Certificates and tokens of one node are not valid yet on the other; a person can mend that, and the run waits.
  expect: { exit: 5, code: 'CHECKS_FAILED', node: 'jetson-thor', within: 30 },
  judge: (_scene, { stdout }) => {
    ok(stdout.includes('clock-skew') && stdout.includes('behind'), `what is wrong is said: ${stdout}`);
    return Promise.resolve();
  },
  heal: async (scene) => void (await scene.worker.exec(['rm', '-f', shim], { user: 'root' })),
});

/** Everything that a machine of the same name and key lacks which was installed anew. */
const reinstall = 'chmod -R u+w "$1"; rm -rf "$1" "$2"/.config "$2"/.cache';

const nodeReplaced: Fault = {
  id: 'F76',
  group: 'D',
  step: 'serving',
  title: 'A node is replaced by a fresh machine of the same name while the cluster serves',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    const { worker } = scene;
    const before = await worker.readFile(`${root}/node.json`);
    await worker.exec(['loginctl', 'disable-linger', 'dgx'], { user: 'root' });
    await worker.reboot();
    await worker.exec(['sh', '-c', reinstall, 'sh', root, '/home/dgx']);
    const running = scene.up();
    await scene.seen(running, 'the machine has an id of its own', async () =>
      worker.readFile(`${root}/node.json`).then(
        (now) => now !== before,
        () => false,
      ),
    );
    return running;
  },
  expect: { exit: 0, within: bringUp + 120 },
};

export const nodeFaults: readonly Fault[] = [
  ...acts.map(killedDuring),
  ...acts.map(killedAfter),
  ...acts.map(killedBefore),
  ...['install wheels', 'stage model'].map((step) => frozen(actOf(step))),
  ...acts.map(powerCut),
  powerCutWhileServing,
  stateWiped,
  engineAfterWipe,
  clockSetBack,
  nodeReplaced,
];
