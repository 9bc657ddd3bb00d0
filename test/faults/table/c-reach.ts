/** C. Reaching and bootstrapping nodes over ssh. */
import { deepEqual, ok } from 'node:assert/strict';
import type { Fault } from '../fault.ts';
import { root } from '../places.ts';
import type { Scene } from '../scene.ts';

const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;
const node = 'jetson-thor';

const asRoot = (scene: Scene, script: string) =>
  scene.worker.exec(['sh', '-ec', script], { user: 'root', reject: false });

const sshDown: Fault = {
  id: 'F22',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'sshd is down on one node',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await asRoot(scene, 'systemctl stop ssh.service');
    return scene.up();
  },
  expect: { exit: 1, code: 'SSH_REFUSED', node, within: 90 },
  heal: async (scene) => void (await asRoot(scene, 'systemctl start ssh.service')),
};

const keys = '/etc/ssh/ssh_host_ed25519_key';
const hostKeyChanged: Fault = {
  id: 'F26',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'A host key is not the one that was pinned',
  invariants: all,
  start: 'prepared',
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
};

const authorized = '/home/dgx/.ssh/authorized_keys';
const keyRefused: Fault = {
  id: 'F29',
  group: 'C',
  step: 'bootstrap',
  crashPoint: 'before',
  title: 'A node refuses the user’s key',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await asRoot(scene, `mv ${authorized} ${authorized}.true`);
    return scene.up();
  },
  expect: { exit: 1, code: 'SSH_AUTH', node, within: 30 },
  heal: async (scene) =>
    void (await asRoot(scene, `[ ! -e ${authorized}.true ] || mv ${authorized}.true ${authorized}`)),
};

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
    for (const { pid } of sessions) process.kill(pid, 'SIGKILL');
    await scene.worker.heal();
    return running;
  },
  expect: { exit: 0, within: bringUp },
};

const diskFull: Fault = {
  id: 'F34',
  group: 'C',
  step: 'upload',
  crashPoint: 'during',
  title: 'The disk of a node is full before the payload is there',
  invariants: all,
  start: 'fresh',
  inject: async (scene) => {
    await scene.worker.fillDisk('/home/dgx', { freeBytes: 20_000_000 });
    return scene.up();
  },
  expect: { exit: 3, code: 'CHECKS_FAILED', within: 60 },
  judge: (_scene, { stdout }) => {
    ok(stdout.includes(node), `the node is named: ${stdout}`);
    return Promise.resolve();
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
  expect: { exit: 5, within: 120 },
  judge: (_scene, { stdout }) => {
    const { waiting = '' } = JSON.parse(stdout) as { waiting?: string };
    ok(waiting.includes(node), `what is waited for names the node: ${stdout}`);
    return Promise.resolve();
  },
};

export const reachFaults: readonly Fault[] = [
  sshDown,
  hostKeyChanged,
  keyRefused,
  cannotReachHome,
  sessionKilled,
  diskFull,
];
