/** E. Environment and model. */
import { equal, ok } from 'node:assert/strict';
import { actOf, inMiddleOf } from '../acts.ts';
import type { Fault } from '../fault.ts';
import { servesOn } from '../gang.ts';
import { root } from '../places.ts';
import { linesOf, processesOf } from '../scene.ts';
import { variantOf } from '../variant.ts';

const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;

const indexFails: Fault = {
  id: 'F54',
  group: 'E',
  step: 'install wheels',
  crashPoint: 'before',
  title: 'The package index answers 503 to every wheel for a while',
  invariants: all,
  start: 'placed',
  inject: (scene) => {
    scene.stage.index.traffic.failNext(12, /\.whl$/);
    return Promise.resolve(scene.up());
  },
  expect: { exit: 0, within: bringUp },
};

const environmentDeleted: Fault = {
  id: 'F74',
  group: 'E',
  step: 'install wheels',
  crashPoint: 'during',
  title: 'The environment is deleted while it is being installed',
  invariants: all,
  start: 'placed',
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, actOf('install wheels'));
    await scene.worker.exec(['sh', '-c', 'chmod -R u+w "$1" && rm -rf "$1"', 'sh', `${root}/envs`]);
    go();
    return running;
  },
  // The step finds nothing to install into; the next bring-up begins one step before it.
  expect: { exit: 1, code: 'WHEELS_FAILED', node: 'jetson-thor', within: bringUp },
  judge: async (scene) => {
    const began = (await linesOf(scene.worker, 'install wheels', scene.since)).filter(
      ({ what }) => what === 'began',
    );
    ok(began.length <= 4, `it was begun ${String(began.length)} times`);
  },
};

const chunk = 10 * 1024 * 1024;
const killedHalfway: Fault = {
  id: 'F59',
  group: 'E',
  step: 'stage model',
  crashPoint: 'during',
  title: 'The download itself is killed at half of the model',
  invariants: all,
  start: 'placed',
  inject: async (scene) => {
    const { running, go } = await inMiddleOf(scene, actOf('stage model'));
    const downloaders = await processesOf(scene.worker, /windlass-model-/);
    ok(downloaders.length > 0);
    await scene.worker.exec(['systemctl', '--user', 'kill', '--signal=KILL', 'windlass-model-*']);
    go();
    return running;
  },
  expect: { exit: 0, within: bringUp },
  judge: async (scene) => {
    const requests = scene.stage.hub.traffic.requests();
    const sent = requests.slice(scene.hubRequests).filter(({ url }) => url.endsWith('.safetensors'));
    const bytes = sent.reduce((sum, each) => sum + each.bytes, 0);
    const argv = [
      'find',
      '-L',
      '/home/dgx/.cache/huggingface',
      '-path',
      '*/snapshots/*.safetensors',
      '-printf',
      '%s\n',
    ];
    const sizes = (await scene.worker.exec(argv)).stdout.trim().split('\n').map(Number);
    const size = sizes.reduce((sum, each) => sum + each, 0);
    ok(bytes <= size + chunk, `${String(bytes)} bytes were fetched of a model of ${String(size)}`);
    const began = (await linesOf(scene.worker, 'stage model', scene.since)).filter(
      ({ what }) => what === 'began',
    );
    equal(began.length, 2, 'the download was begun again, once');
  },
};

/** Half of the model, as the tiny one is: 10 MB. */
const halfModel = 5_000_000;
const modelDiskFills: Fault = {
  id: 'F57',
  group: 'E',
  step: 'stage model',
  crashPoint: 'during',
  title: 'The disk fills up at half of the model',
  invariants: all,
  start: 'placed',
  inject: async (scene) => {
    await scene.worker.exec(['mkdir', '-p', '/home/dgx/.cache/huggingface']);
    await scene.worker.fillDisk('/home/dgx/.cache/huggingface', { freeBytes: halfModel });
    return scene.up();
  },
  // A person can make room, and the run waits for that.
  expect: { exit: 5, code: 'DISK_FULL', node: 'jetson-thor', within: bringUp },
  // The small disk lies over the true one until the power is cut.
  heal: (scene) => scene.worker.reboot(),
};

const unknownModel = servesOn({
  id: 'F60',
  group: 'E',
  step: 'stage model',
  crashPoint: 'before',
  title: 'The hub does not know the model',
  invariants: all,
  inject: async (scene) => {
    const other = await variantOf(scene, 'windlass/tiny-llama', 'windlass/no-such-model');
    return scene.start(['up', other, '--json']);
  },
  expect: { exit: 1, code: 'MODEL_NOT_FOUND', within: 60 },
});

/** As the hub says it of a model whose terms the account has not accepted. */
const gated = {
  status: 401,
  headers: { 'X-Error-Code': 'GatedRepo', 'X-Error-Message': 'Access is restricted' },
};
const gatedModel: Fault = {
  id: 'F60',
  group: 'E',
  step: 'stage model',
  title: 'The hub gives the model to nobody without a token',
  invariants: all,
  start: 'placed',
  inject: (scene) => {
    scene.stage.hub.traffic.failNext(1_000, /tiny-llama/, gated);
    return Promise.resolve(scene.up());
  },
  expect: { exit: 1, code: 'MODEL_GATED', node: 'jetson-thor', within: 120 },
  judge: (scene, { stdout }) => {
    const asked = scene.stage.hub.traffic.requests().slice(scene.hubRequests);
    ok(asked.length < 20, `the hub was asked ${String(asked.length)} times`);
    ok(stdout.includes('secrets.huggingFaceToken'), 'the field for the token is named');
    return Promise.resolve();
  },
};

const hubLimits: Fault = {
  id: 'F60',
  group: 'E',
  step: 'stage model',
  crashPoint: 'during',
  title: 'The hub answers 429 for a while: too many requests',
  invariants: all,
  start: 'placed',
  inject: (scene) => {
    const limited = { status: 429, headers: { 'Retry-After': '1' } };
    scene.stage.hub.traffic.failNext(8, /safetensors/, limited);
    return Promise.resolve(scene.up());
  },
  expect: { exit: 0, within: bringUp },
};

export const environmentFaults: readonly Fault[] = [
  indexFails,
  environmentDeleted,
  modelDiskFills,
  killedHalfway,
  unknownModel,
  gatedModel,
  hubLimits,
];
