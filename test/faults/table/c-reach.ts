/** C. Reaching and bootstrapping nodes over ssh. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readLedger } from '../../lab/ledger.ts';
import { sendSignal } from '../../lab/processes.ts';
import { until } from '../../lab/run.ts';
import type { Fault } from '../fault.ts';
import { servesOn } from '../gang.ts';
import { clusterFile, root } from '../places.ts';
import { processesOf, type Scene } from '../scene.ts';
import { variantOf } from '../variant.ts';

const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;
const node = 'jetson-thor';

const asRoot = (scene: Scene, script: string) =>
  scene.worker.exec(['sh', '-ec', script], { user: 'root', reject: false });

const sshDown = servesOn({
  id: 'F22',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'sshd is down on one node',
  invariants: all,
  inject: async (scene) => {
    await asRoot(scene, 'systemctl stop ssh.service');
    return scene.up();
  },
  expect: { exit: 1, code: 'SSH_REFUSED', node, within: 90 },
  heal: async (scene) => void (await asRoot(scene, 'systemctl start ssh.service')),
});

const hostSilent = servesOn({
  id: 'F23',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'A node says nothing on the port of ssh',
  invariants: all,
  inject: async (scene) => {
    await scene.worker.dropPort(22);
    return scene.up();
  },
  expect: { exit: 1, code: 'SSH_TIMEOUT', node, within: 90 },
});

const keys = '/etc/ssh/ssh_host_ed25519_key';
const hostKeyChanged = servesOn({
  id: 'F26',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'A host key is not the one that was pinned',
  invariants: all,
  inject: async (scene) => {
    await asRoot(
      scene,
      `for f in ${keys} ${keys}.pub; do cp -a $f $f.true; done; rm ${keys} ${keys}.pub
       ssh-keygen -q -t ed25519 -N '' -f ${keys}; systemctl restart ssh.service`,
    );
    await scene.worker.waitForSsh();
    return scene.up();
  },
  expect: { exit: 5, code: 'SSH_HOST_KEY_CHANGED', node, within: 15 },
  judge: async (scene) => {
    const { stdout } = await asRoot(
      scene,
      `journalctl -u ssh --no-pager -o cat --since @${String(Math.floor(scene.since / 1000))}`,
    );
    deepEqual(/Accepted|Failed/.exec(stdout), null, `nobody tried to log in: ${stdout}`);
  },
  heal: async (scene) =>
    void (await asRoot(
      scene,
      `[ ! -e ${keys}.true ] || { mv ${keys}.true ${keys}; mv ${keys}.pub.true ${keys}.pub; systemctl restart ssh.service; }`,
    )),
});

const authorized = '/home/dgx/.ssh/authorized_keys';
const keyRefused = servesOn({
  id: 'F29',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'A node refuses the user’s key',
  invariants: all,
  inject: async (scene) => {
    await asRoot(scene, `mv ${authorized} ${authorized}.true`);
    return scene.up();
  },
  expect: { exit: 1, code: 'SSH_AUTH', node, within: 30 },
  heal: async (scene) =>
    void (await asRoot(scene, `[ ! -e ${authorized}.true ] || mv ${authorized}.true ${authorized}`)),
});

const home = '/home/dgx';

/** Files of the payload on the node, whole ones and pieces. */
const payloadFiles = async (scene: Scene): Promise<string> =>
  (await scene.worker.exec(['find', `${root}/workers`, '-type', 'f'], { reject: false })).stdout;

/** What an upload has begun and neither finished nor removed. */
const pieces = (files: string): string[] =>
  files.split('\n').filter((path) => path.includes('.windlass-upload-'));

const payloadParts = async (scene: Scene): Promise<string[]> =>
  (
    await scene.worker.exec(['find', `${root}/workers`, '-type', 'f', '-size', '+1000k'], { reject: false })
  ).stdout
    .split('\n')
    .filter(Boolean);

const sessionKilled: Fault = {
  id: 'F31',
  group: 'C',
  step: 'upload',
  crashPoint: 'during',
  title: 'The ssh session is killed in the middle of an upload',
  invariants: all,
  start: 'fresh',
  inject: async (scene) => {
    await scene.worker.slow({ rateKbit: 20_000 });
    const running = scene.up();
    await scene.seen(
      running,
      'a large file is on its way',
      async () => (await payloadParts(scene)).length > 0,
    );
    const sessions = (await scene.worker.processes()).filter(({ commandLine }) =>
      commandLine.join(' ').startsWith('sshd: dgx'),
    );
    ok(sessions.length > 0, 'a session stands');
    for (const { pid } of sessions) sendSignal(pid, 'SIGKILL');
    await scene.worker.heal();
    return running;
  },
  // Nobody but the operator has a way to the node now: the command says so, and the next one goes on where it was.
  expect: { exit: 1, code: 'SSH_LOST', node, within: 30 },
  judge: async (scene) => {
    await until('no piece of a file is left', async () => pieces(await payloadFiles(scene)).length === 0, {
      seconds: 10,
    });
  },
};

/** Scaled: a line of 64 kbit/s would take hours. */
const slowUpload: Fault = {
  id: 'F33',
  group: 'C',
  step: 'upload',
  crashPoint: 'during',
  title: 'The upload to a node goes over 6 Mbit/s',
  invariants: all,
  start: 'fresh',
  inject: async (scene) => {
    await scene.worker.slow({ rateKbit: 6_000 });
    const running = scene.start(['up', clusterFile]);
    const nodeWorkerRuns = async () => (await processesOf(scene.worker, /windlass-node/)).length > 0;
    await scene.seen(running, 'a node worker runs', nodeWorkerRuns, 300);
    await scene.worker.heal();
    return running;
  },
  expect: { exit: 0, within: 240 },
  judge: async (scene, { stderr }) => {
    const told = stderr.split('\n').filter((line) => line.includes(node) && line.endsWith(' placed'));
    ok(told.length >= 2, `it says how far it is: ${stderr}`);
    deepEqual(pieces(await payloadFiles(scene)), [], 'no piece of a file is left');
  },
};

const diskIsFull: Fault = {
  id: 'F34',
  group: 'C',
  step: 'upload',
  crashPoint: 'before',
  title: 'The disk of a node is full before the payload is there',
  invariants: all,
  start: 'fresh',
  inject: async (scene) => {
    await scene.worker.fillDisk(home, { freeBytes: 20_000_000 });
    return scene.up();
  },
  // No run has been started that could wait: there is nothing on the node yet that could go on with it.
  expect: { exit: 3, code: 'CHECKS_FAILED', within: 60 },
  judge: async (scene, { stdout }) => {
    ok(stdout.includes(node) && stdout.includes('free'), `node and free space are named: ${stdout}`);
    equal(await payloadFiles(scene), '', 'nothing was uploaded');
  },
  // The small disk lies over the true one until the power is cut.
  heal: (scene) => scene.worker.reboot(),
};

/** A disk large enough for every check, until it is made to have a megabyte left. */
const largeBytes = 200 * 1024 ** 3;
const leaveOneMegabyte = `used=$(df -B1 --output=used ${home} | tail -1); mount -o remount,size=$((used + 1000000)) ${home}`;

const diskFills: Fault = {
  id: 'F34',
  group: 'C',
  step: 'upload',
  crashPoint: 'during',
  title: 'The disk of a node fills up in the middle of an upload',
  invariants: all,
  start: 'fresh',
  inject: async (scene) => {
    await scene.worker.fillDisk(home, { freeBytes: largeBytes });
    await scene.worker.slow({ rateKbit: 20_000 });
    const running = scene.up();
    await scene.seen(
      running,
      'a large file is on its way',
      async () => (await payloadParts(scene)).length > 0,
    );
    await scene.worker.exec(['sh', '-c', leaveOneMegabyte], { user: 'root' });
    return running;
  },
  expect: { exit: 1, code: 'DISK_FULL', node, within: 60 },
  judge: async (scene) => {
    deepEqual(pieces(await payloadFiles(scene)), [], 'no piece of a file is left');
  },
  // The small disk lies over the true one until the power is cut.
  heal: (scene) => scene.worker.reboot(),
};

const cannotReachHome: Fault = {
  id: 'F41',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'after',
  title: 'A node answers ssh and cannot reach the home',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.worker.isolateFrom(scene.head);
    return scene.up();
  },
  // The run waits for a person, and goes on by itself where the way is open again.
  expect: { exit: 5, code: 'NODE_WORKER_SILENT', node, within: 120 },
  judge: async (scene) => {
    const begun = await Promise.all(scene.hosts.map((host) => readLedger(host)));
    deepEqual(
      begun.flat().filter(({ at }) => at >= scene.since),
      [],
      'no step was begun on any node',
    );
  },
};

/** The file of the suite with the addresses of its two nodes exchanged. */
const swappedFile = (scene: Scene): Promise<string> =>
  variantOf(scene, /10[.]0[.]0[.]2[57]/g, (found) => (found === '10.0.0.25' ? '10.0.0.27' : '10.0.0.25'));

const addressesSwapped = servesOn({
  id: 'F75',
  group: 'C',
  step: 'checks',
  crashPoint: 'before',
  title: 'The addresses of two nodes are swapped in the cluster file',
  invariants: all,
  inject: async (scene) => scene.start(['up', await swappedFile(scene), '--json']),
  expect: { exit: 3, code: 'CHECKS_FAILED', within: 60 },
  judge: async (scene, { stdout }) => {
    for (const name of [node, 'spark-ea8e']) ok(stdout.includes(name), `${name} is named: ${stdout}`);
    const begun = (await Promise.all(scene.hosts.map((host) => readLedger(host)))).flat();
    deepEqual(
      begun.filter(({ at }) => at >= scene.since),
      [],
      'nothing was begun on any node',
    );
  },
});

export const reachFaults: readonly Fault[] = [
  sshDown,
  hostSilent,
  hostKeyChanged,
  keyRefused,
  cannotReachHome,
  sessionKilled,
  slowUpload,
  diskIsFull,
  diskFills,
  addressesSwapped,
];
