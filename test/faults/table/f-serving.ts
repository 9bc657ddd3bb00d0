/** F. Ray, network, serving. */
import { deepEqual, equal, match, ok } from 'node:assert/strict';
import { until } from '../../lab/run.ts';
import type { Fault } from '../fault.ts';
import { gangOf, rankOf } from '../gang.ts';
import { linesOf, processesOf, type Scene } from '../scene.ts';
import { variantOf } from '../variant.ts';

const bringUp = 240;
const all = ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'] as const;

const listen = (port: number): string =>
  `import socket,time;s=socket.create_server(("0.0.0.0",${String(port)}));time.sleep(1e9)`;

const stopStranger = async (scene: Scene): Promise<void> => {
  await scene.head.exec(['systemctl', 'stop', 'on-the-port.service'], { user: 'root', reject: false });
};

const portHeld: Fault = {
  id: 'F62',
  group: 'F',
  step: 'start head',
  crashPoint: 'before',
  title: 'Somebody else’s process listens on the port of Ray',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const { head } = scene;
    const argv = ['--quiet', '--unit=on-the-port', '--uid=dgx', 'python3', '-c', listen(6379)];
    await head.exec(['systemd-run', ...argv], { user: 'root' });
    await until('the stranger listens', async () =>
      (await head.exec(['ss', '-ltn'])).stdout.includes(':6379 '),
    );
    return scene.up();
  },
  // Whoever holds the port can be asked to let go, so the run waits for that and goes on by itself.
  expect: { exit: 5, code: 'CHECKS_FAILED', node: 'spark-ea8e', within: 30 },
  judge: async (scene, { stdout }) => {
    ok(stdout.includes('6379'), `the port is named: ${stdout}`);
    equal((await processesOf(scene.head, /on-the-port/)).length, 1, 'the stranger lives');
    deepEqual(await linesOf(scene.head, 'start head', scene.since), [], 'no Ray was started');
  },
  heal: stopStranger,
};

let rayBefore: string[] = [];
const rays = (scene: Scene): Promise<string[]> => gangOf(scene, /-ray-/);

const ownRay: Fault = {
  id: 'F63',
  group: 'F',
  step: 'start head',
  crashPoint: 'before',
  title: 'Our own Ray of an earlier run stands, without an engine',
  invariants: [...all, 'I6'],
  start: 'serving',
  inject: async (scene) => {
    rayBefore = await rays(scene);
    await scene.head.exec(['systemctl', '--user', 'stop', 'windlass-engine-*']);
    return scene.up();
  },
  expect: { exit: 0, within: bringUp },
  judge: async (scene) => {
    equal(rayBefore.length, 2);
    deepEqual(await rays(scene), rayBefore, 'Ray was adopted');
  },
};

const rankExits: Fault = {
  id: 'F68',
  group: 'F',
  step: 'launch server',
  crashPoint: 'during',
  title: 'One rank exits with 1 after two seconds, at every start',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const modes = '{"STANDIN_EXIT_AFTER_S": 2, "STANDIN_WHO": "rank", "STANDIN_SPEED": 3}';
    await scene.worker.writeFile('/etc/windlass-lab/engine.json', modes, { user: 'root' });
    return scene.up();
  },
  expect: { exit: 1, code: 'ENGINE_EXITED', node: 'spark-ea8e', within: bringUp },
  judge: async (scene) => {
    for (const host of scene.hosts)
      deepEqual((await processesOf(host, /windlass-(ray|engine)-/)).length, 0, 'the other ranks are stopped');
  },
};

/** Somebody who waits for a phase as many seconds as a test can. */
const impatientFile = (scene: Scene, patience: string): Promise<string> =>
  variantOf(scene, "version: '0.5.21' }", `version: '0.5.21', patience: { ${patience} } }`);

const hangs: Fault = {
  id: 'F68',
  group: 'F',
  step: 'wait until ready',
  crashPoint: 'during',
  title: 'The engine hangs while it gathers its ranks, at every start',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const modes = '{"STANDIN_HANG_AT": "placement", "STANDIN_WHO": "launcher"}';
    await scene.head.writeFile('/etc/windlass-lab/engine.json', modes, { user: 'root' });
    return scene.start(['up', await impatientFile(scene, 'placement: 15'), '--json']);
  },
  expect: { exit: 1, code: 'ENGINE_STUCK', node: 'spark-ea8e', within: bringUp },
  judge: (_scene, { stdout }) => {
    match(stdout, /stuck while placement: no log line, no CPU time, no child process for 1[5-9] s/);
    return Promise.resolve();
  },
};

const compilesSilently: Fault = {
  id: 'F88',
  group: 'F',
  step: 'wait until ready',
  crashPoint: 'during',
  title: 'The engine compiles in silence for 90 s, six times as long as its patience for a rest',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    for (const host of scene.hosts)
      await host.writeFile('/etc/windlass-lab/engine.json', '{"STANDIN_SILENT_S": 90}', { user: 'root' });
    return scene.start(['up', await impatientFile(scene, 'listening: 16, warm-up: 16'), '--json']);
  },
  expect: { exit: 0, within: bringUp },
  judge: async (scene) => {
    equal((await linesOf(scene.head, 'launch server', scene.since)).length, 1, 'it was started once');
  },
};

const launcherExits: Fault = {
  id: 'F68',
  group: 'F',
  step: 'launch server',
  crashPoint: 'before',
  title: 'The engine exits with 1 two seconds after its start',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    const modes = '{"STANDIN_EXIT_AFTER_S": 2, "STANDIN_WHO": "launcher", "STANDIN_SPEED": 3}';
    await scene.head.writeFile('/etc/windlass-lab/engine.json', modes, { user: 'root' });
    return scene.up();
  },
  expect: { exit: 1, code: 'ENGINE_EXITED', node: 'spark-ea8e', within: bringUp },
};

const answersNothing: Fault = {
  id: 'F69',
  group: 'F',
  step: 'smoke test',
  crashPoint: 'during',
  title: 'The server is healthy and its completions hold no text',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.head.writeFile('/etc/windlass-lab/engine.json', '{"STANDIN_ANSWER": "empty"}', {
      user: 'root',
    });
    return scene.up();
  },
  expect: { exit: 1, code: 'SMOKE_FAILED', node: 'spark-ea8e', within: bringUp },
};

/** A rank that stands still looks as wanted, so that the gang is adopted; nobody but its own node sees it die. */
const rankDiesInProof: Fault = {
  id: 'F99',
  group: 'F',
  step: 'smoke test',
  crashPoint: 'during',
  title: 'A rank dies while the server is asked for the last proof',
  invariants: all,
  start: 'serving',
  inject: async (scene) => {
    const { pid } = await rankOf(scene.worker);
    process.kill(pid, 'SIGSTOP');
    const running = scene.up();
    const asks = async () => (await scene.pendingAttempts(`smoke-test@${scene.head.name}`)) > 0;
    await scene.seen(running, 'the server is asked', asks);
    process.kill(pid, 'SIGKILL');
    return running;
  },
  expect: { exit: 0, within: 120 },
  judge: async (scene) => {
    const launched = await linesOf(scene.head, 'launch server', scene.since);
    equal(launched.filter(({ what }) => what === 'began').length, 1, 'the gang was started once');
  },
};

/** From one node only, as a firewall between two of them would. */
const headUnreachable: Fault = {
  id: 'F64',
  group: 'F',
  step: 'join workers',
  crashPoint: 'before',
  title: 'A node cannot reach the port of Ray on the head',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.head.rejectPort(6379, { from: '10.0.0.27' });
    return scene.up();
  },
  expect: { exit: 1, code: 'RAY_HEAD_UNREACHABLE', node: 'jetson-thor', within: bringUp },
};

const interfaceRenamed: Fault = {
  id: 'F66',
  group: 'F',
  step: 'checks',
  crashPoint: 'before',
  title: 'The interface of a node bears another name than before',
  invariants: all,
  start: 'prepared',
  inject: async (scene) => {
    await scene.worker.exec(['ip', 'link', 'set', 'mgbe0_0', 'name', 'mgbe0_9'], { user: 'root' });
    return scene.up();
  },
  // No name stands in the cluster file: the one that carries the node's address is found again.
  expect: { exit: 0, within: bringUp },
  heal: async (scene) => {
    const script = '[ ! -e /sys/class/net/mgbe0_9 ] || ip link set mgbe0_9 name mgbe0_0';
    await scene.worker.exec(['sh', '-c', script], { user: 'root' });
  },
};

export const servingFaults: readonly Fault[] = [
  portHeld,
  headUnreachable,
  launcherExits,
  rankExits,
  hangs,
  compilesSilently,
  answersNothing,
  rankDiesInProof,
  interfaceRenamed,
  ownRay,
];
