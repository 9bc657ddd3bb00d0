/** D. What people, cleaners and broken disks do to a node, whose next `up` needs no hand. */
import { deepEqual, equal, ok } from 'node:assert/strict';
import { readLedger } from '../../lab/ledger.ts';
import { sendSignal } from '../../lab/processes.ts';
import type { Fault, State } from '../fault.ts';
import { clusterFile, root } from '../places.ts';
import { linesOf, processesOf, type Scene } from '../scene.ts';

interface Damage {
  readonly id: string;
  readonly step: string;
  readonly title: string;
  readonly start: State;
  /** Done to a node, while nothing of windlass works on it. */
  readonly harm: (scene: Scene) => Promise<unknown>;
  readonly judge?: (scene: Scene) => Promise<void>;
  readonly heal?: (scene: Scene) => Promise<unknown>;
}

const damage = ({ id, step, title, start, harm, judge, heal }: Damage): Fault => ({
  id,
  group: 'D',
  step,
  title,
  invariants: ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'],
  start,
  inject: async (scene) => {
    await harm(scene);
    return scene.up();
  },
  expect: { exit: 0, within: 360 },
  ...(judge && { judge }),
  ...(heal && { heal: async (scene: Scene) => void (await heal(scene)) }),
});

const sh = (scene: Scene, script: string, ...args: string[]) =>
  scene.worker.exec(['sh', '-ec', script, 'sh', ...args]);

const begun = async (scene: Scene, step: string): Promise<number> =>
  (await linesOf(scene.worker, step, scene.since)).filter(({ what }) => what === 'began').length;

const demandBegun = (step: string) => async (scene: Scene) => {
  equal(await begun(scene, step), 1, `${step} was begun once`);
};

/** What serves is left alone. */
const demandNothingBegun = async (scene: Scene) => {
  equal(await begun(scene, 'join workers'), 0, 'the gang was left alone');
};

const userEnded: Damage = {
  id: 'F78',
  step: 'serving',
  title: 'All processes of the user are ended on a node while the cluster serves',
  start: 'serving',
  harm: async (scene) => {
    await scene.worker.exec(['loginctl', 'terminate-user', 'dgx'], { user: 'root', reject: false });
    await scene.worker.waitForSsh();
  },
  judge: demandBegun('join workers'),
};

const rayStopped: Damage = {
  id: 'F79',
  step: 'serving',
  title: 'Somebody runs `ray stop` on a node while the cluster serves',
  start: 'serving',
  harm: (scene) => sh(scene, 'for ray in "$1"/envs/*/bin/ray; do "$ray" stop --force; break; done', root),
  judge: demandBegun('join workers'),
};

/** What serves does not need what was taken from its Ray; the next gang is one that has it. */
const startOver = (scene: Scene) => scene.demand(['down', clusterFile, '--json']);

const temporaryFilesSwept: Damage = {
  id: 'F80',
  step: 'serving',
  title: 'The temporary files of Ray are swept away on a node while the cluster serves',
  start: 'serving',
  harm: (scene) => sh(scene, 'rm -rf "$1"/ray/*', root),
  judge: demandNothingBegun,
  heal: startOver,
};

const modelCut: Damage = {
  id: 'F81',
  step: 'stage model',
  title: 'A file of the model has lost its second half',
  start: 'prepared',
  harm: (scene) =>
    sh(
      scene,
      `find -L /home/dgx/.cache/huggingface -path '*/snapshots/*.safetensors' | head -n1 | while read -r file; do
         size=$(stat -Lc %s "$file"); chmod u+w "$(readlink -f "$file")"; truncate -s $((size / 2)) "$file"
       done`,
    ),
  judge: demandBegun('stage model'),
};

const interpreterGone: Damage = {
  id: 'F82',
  step: 'install wheels',
  title: 'The environment has lost its interpreter',
  start: 'prepared',
  harm: (scene) => sh(scene, 'chmod -R u+w "$1"/envs; rm -f "$1"/envs/*/bin/python*', root),
  judge: demandBegun('install wheels'),
};

const recordsEmpty: Damage = {
  id: 'F83',
  step: 'checks',
  title: 'After a power cut the records of a node are empty, and its ledger ends in half a line',
  start: 'prepared',
  harm: (scene) =>
    sh(
      scene,
      `chmod -R u+w "$1"/envs "$1"/proofs "$1"/models
       find "$1"/envs "$1"/proofs "$1"/models -maxdepth 2 -name '*.json' -exec truncate -s 0 {} +
       printf '{"at":1,"step":"inst' >> "$1"/ledger.jsonl`,
      root,
    ),
};

const tokenGone: Damage = {
  id: 'F84',
  step: 'serving',
  title: 'The token of Ray is deleted on the head while the cluster serves',
  start: 'serving',
  harm: (scene) => scene.head.exec(['rm', '-f', `${root}/secrets/rayToken`]),
  judge: demandNothingBegun,
  heal: startOver,
};

/** What serves on such a Ray goes on; but an engine that is started on it now would wait for its ranks for ever. */
const thenEngineKilled = (harm: Damage['harm']) => async (scene: Scene) => {
  await harm(scene);
  for (const { pid } of await processesOf(scene.head, /windlass-engine-/)) sendSignal(pid, 'SIGKILL');
};

const sweptThenKilled: Damage = {
  id: 'F92',
  step: 'serving',
  title: 'The temporary files of Ray are swept away on a node, and later the engine dies',
  start: 'serving',
  harm: thenEngineKilled(temporaryFilesSwept.harm),
  judge: demandBegun('join workers'),
};

const rayStoppedThenKilled: Damage = {
  id: 'F94',
  step: 'serving',
  title:
    'Somebody runs a plain `ray stop` on a node, after which its unit runs on empty, and the engine dies',
  start: 'serving',
  harm: thenEngineKilled((scene) =>
    sh(scene, 'for ray in "$1"/envs/*/bin/ray; do "$ray" stop; break; done', root),
  ),
  judge: demandBegun('join workers'),
};

const tokenChangedThenKilled: Damage = {
  id: 'F93',
  step: 'serving',
  title: 'Ray’s token is deleted on all nodes, and later the engine dies',
  start: 'serving',
  harm: thenEngineKilled(async ({ hosts }) => {
    for (const host of hosts) await host.exec(['rm', '-f', `${root}/secrets/rayToken`]);
  }),
  judge: demandBegun('join workers'),
};

const diskCopied: Fault = {
  id: 'F46',
  group: 'D',
  step: 'checks',
  crashPoint: 'before',
  title: 'The disk of a node is a copy of another’s: both bear one id',
  invariants: ['I1', 'I2', 'I3', 'I4', 'I7', 'I8', 'I9'],
  start: 'prepared',
  inject: async (scene) => {
    const text = await scene.head.readFile(`${root}/node.json`);
    await scene.worker.writeFile(`${root}/node.json`, text, { user: 'dgx' });
    return scene.up();
  },
  expect: { exit: 3, code: 'CHECKS_FAILED', within: 60 },
  judge: async (scene, { stdout }) => {
    ok(stdout.includes('spark-ea8e and jetson-thor bear the same id'), `both are named: ${stdout}`);
    const begunSince = (await Promise.all(scene.hosts.map((host) => readLedger(host)))).flat();
    deepEqual(
      begunSince.filter(({ at }) => at >= scene.since),
      [],
      'nothing was begun on any node',
    );
  },
  // As the sentence says.
  heal: async (scene) => void (await sh(scene, 'rm "$1"/node.json', root)),
};

const identityGone: Damage = {
  id: 'F85',
  step: 'serving',
  title: 'The identity of a node is deleted while the cluster serves',
  start: 'serving',
  harm: (scene) => sh(scene, 'rm -f "$1"/node.json', root),
  judge: async (scene) => {
    for (const host of scene.hosts)
      deepEqual((await processesOf(host, /windlass-ray-/)).length > 0, true, `Ray runs on ${host.name}`);
    ok((await scene.worker.readFile(`${root}/node.json`)).includes('"id"'), 'it has an identity again');
  },
};

export const damageFaults: readonly Fault[] = [
  diskCopied,
  ...[
    userEnded,
    rayStopped,
    temporaryFilesSwept,
    modelCut,
    interpreterGone,
    recordsEmpty,
    tokenGone,
    sweptThenKilled,
    rayStoppedThenKilled,
    tokenChangedThenKilled,
    identityGone,
  ].map(damage),
];
