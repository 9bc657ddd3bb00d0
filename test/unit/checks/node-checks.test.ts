/** One table for each check of a node: what is read there, and what is said about it. */
import { describe, expect, it } from '@jest/globals';
import type { Judgement, NodeInput } from '../../../src/cluster/checks/check.ts';
import { nodeChecks } from '../../../src/cluster/checks/index.ts';
import { wantedEnvironment } from '../../../src/cluster/environments.ts';
import { modelKey } from '../../../src/cluster/models.ts';
import { facts, headId, input, listener, secondId, spec, specWith, stranger } from './cluster.ts';

const gibibyte = 1024 ** 3;

function judge(name: string, given: NodeInput): Judgement[] {
  const check = nodeChecks.find((each) => each.name === name);
  if (!check) throw new Error(`there is no check ${name}`);
  const judged = check.judge(given);
  return 'verdict' in judged ? [judged] : [...judged];
}

type Row = readonly [what: string, given: NodeInput, ...said: string[]];

/** A judgement as one line: "fail · sentence → remedy". */
function table(name: string, rows: readonly Row[]): void {
  describe(name, () => {
    it.each(rows)('%s', (_what, given, ...said) => {
      expect(
        judge(name, given).map(
          ({ verdict, sentence, remedy }) =>
            `${verdict} · ${sentence}${remedy === undefined ? '' : ` → ${remedy}`}`,
        ),
      ).toEqual(said);
    });
  });
}

const { state, systemd, user } = facts();

const day = 86_400_000;
const clock = Date.parse('2026-11-29T12:00:00Z');
type Certificate = NonNullable<(typeof state)['certificates']>[number];
const certified = (...certificates: Certificate[]) => input({ clock, state: { ...state, certificates } });
const onWorker = (given: NodeInput): NodeInput => ({ ...given, node: { ...given.node, name: 'thorx' } });

table('certificates', [
  ['facts of an older windlass', input(), 'pass · the node has no certificate'],
  ['none', certified(), 'pass · the node has no certificate'],
  [
    'one that holds',
    onWorker(certified({ of: 'node', ends: clock + 61 * day })),
    'pass · they hold for 60 days or more',
  ],
  [
    'one that ends soon beside one that holds',
    certified({ of: 'authority', ends: clock + 900 * day }, { of: 'front', ends: clock + 12.5 * day }),
    'warn · the certificate of the front ends on 2026-12-12 → windlass up renews it.',
  ],
  [
    'an authority that has ended',
    certified({ of: 'authority', ends: clock - 1.5 * day }),
    'warn · the authority of the cluster’s certificates ended on 2026-11-28 → windlass down --purge, then windlass up, which makes a new one.',
  ],
  [
    'that of a node that has ended',
    onWorker(certified({ of: 'node', ends: clock - day / 2 })),
    'warn · the certificate of the node ended on 2026-11-29 → windlass up renews it.',
  ],
  [
    'what a former worker and a former head have kept',
    certified({ of: 'node', ends: clock }),
    'pass · the node has no certificate',
  ],
]);

table('platform', [
  ['a Spark', input(), 'pass · Ubuntu 24.04.3 LTS on aarch64, glibc 2.39'],
  [
    'the oldest glibc',
    input({ machine: 'x86_64', glibc: '2.28' }),
    'pass · Ubuntu 24.04.3 LTS on x86_64, glibc 2.28',
  ],
  [
    'a glibc that is too old',
    input({ glibc: '2.27' }),
    'fail · glibc is 2.27; 2.28 or newer is needed → Run getconf GNU_LIBC_VERSION there; upgrade the system, or choose another machine in nodes[].address.',
  ],
  [
    'no glibc',
    input({ glibc: null }),
    'fail · glibc is not there or cannot be read; 2.28 or newer is needed → Run getconf GNU_LIBC_VERSION there; upgrade the system, or choose another machine in nodes[].address.',
  ],
  [
    'another processor',
    input({ machine: 'riscv64' }),
    'fail · the machine is riscv64; nodes are x86_64 or aarch64 → Choose another machine in nodes[].address.',
  ],
  [
    'an unknown processor',
    input({ machine: null }),
    'fail · the machine is of an unknown kind; nodes are x86_64 or aarch64 → Choose another machine in nodes[].address.',
  ],
]);

table('systemd', [
  ['all well', input(), 'pass · systemd 255, and the manager of dgx answers'],
  [
    'the oldest',
    input({ systemd: { ...systemd, version: 247 } }),
    'pass · systemd 247, and the manager of dgx answers',
  ],
  [
    'another PID 1',
    input({ systemd: { ...systemd, running: false } }),
    'fail · systemd is not PID 1 there; units of ours could not outlive a login → Boot the machine with systemd, or choose another one in nodes[].address.',
  ],
  [
    'too old',
    input({ systemd: { ...systemd, version: 245 } }),
    'fail · systemd is 245; 247 or newer is needed → Run systemctl --version there, and upgrade the system.',
  ],
  [
    'an unknown version',
    input({ systemd: { ...systemd, version: null } }),
    'fail · systemd is of an unknown version; 247 or newer is needed → Run systemctl --version there, and upgrade the system.',
  ],
  [
    'control groups of version 1',
    input({ systemd: { ...systemd, unified: false } }),
    'fail · control groups are not those of version 2 alone; which processes are ours could not be read → Boot the machine with systemd.unified_cgroup_hierarchy=1 on the kernel’s command line, and without any systemd.legacy_systemd_cgroup_controller.',
  ],
  [
    'no manager of the user',
    input({ systemd: { ...systemd, userManager: false } }),
    'fail · the systemd manager of dgx does not answer → sudo loginctl enable-linger dgx && sudo systemctl restart user@1000.service',
  ],
]);

table('linger', [
  ['on', input(), 'pass · lingering is on for dgx'],
  [
    'off, and ours to set',
    input({ systemd: { ...systemd, linger: false } }),
    'warn · lingering is off for dgx; windlass up switches it on, windlass down --purge off again → Nothing to do; if a rule forbids it: sudo loginctl enable-linger dgx',
  ],
  [
    'off, and nobody there who could allow it',
    input({ systemd: { ...systemd, linger: false, polkit: false } }),
    'fail · lingering is off for dgx, and without polkit the user cannot switch it on → sudo loginctl enable-linger dgx',
  ],
  [
    'unknown',
    input({ systemd: { ...systemd, linger: null } }),
    'warn · whether dgx lingers cannot be read → sudo loginctl enable-linger dgx',
  ],
]);

table('gpu-present', [
  ['as wanted', input(), 'pass · 1 GPU: NVIDIA GB10, driver 580.95.05'],
  [
    'too few',
    input({}, { gpus: 2 }),
    'fail · 2 GPUs are wanted, 1 found: NVIDIA GB10 → Set nodes[].gpus to what is there.',
  ],
  [
    'a driver that does not work',
    input({ gpus: [], gpuError: 'No devices were found' }),
    'fail · no GPU was found: No devices were found → Make nvidia-smi list it; after a driver update: sudo reboot',
  ],
  [
    'a Jetson without the tool',
    input({ gpus: [], gpuError: 'nvidia-smi is not installed', tegra: '# R38' }),
    'fail · no GPU was found: nvidia-smi is not installed → Make nvidia-smi list it (part of JetPack 7: sudo apt install nvidia-jetpack); then: sudo reboot',
  ],
]);

table('gpu-class', [
  ['auto', input(), 'pass · class spark (NVIDIA GB10, capability 12.1)'],
  ['as the file says', input({}, { hardware: 'spark' }), 'pass · class spark, as the file says'],
  [
    'another class',
    input({}, { hardware: 'thor' }),
    'fail · the file says thor, the machine is spark (NVIDIA GB10, capability 12.1) → Set nodes[].hardware to spark or auto, or correct nodes[].address.',
  ],
  [
    'auto without a GPU',
    input({ gpus: [], hardware: 'other' }),
    'warn · the class cannot be told: no GPU could be read → Set nodes[].hardware to spark, thor or other.',
  ],
  [
    'a class without a GPU',
    input({ gpus: [], hardware: 'other' }, { hardware: 'thor' }),
    'warn · whether this is a thor cannot be told: no GPU could be read → Run nvidia-smi there.',
  ],
]);

const closed = [
  { path: '/dev/nvidia0', group: 'video' },
  { path: '/dev/nvmap', group: 'render' },
];
table('gpu-devices', [
  ['open', input(), 'pass · the GPU’s device files are open to units of the user'],
  [
    'closed, the user not in the groups',
    input({ gpuDevicesClosed: closed, user: { ...user, groups: ['dgx', 'video'] } }),
    'fail · a unit of dgx cannot open /dev/nvidia0 and /dev/nvmap (groups video and render) → sudo usermod -aG render dgx && sudo systemctl restart user@1000.service',
  ],
  [
    'closed to a manager that is older than the membership',
    input({ gpuDevicesClosed: closed }),
    'fail · a unit of dgx cannot open /dev/nvidia0 and /dev/nvmap (groups video and render) → sudo systemctl restart user@1000.service',
  ],
  [
    'closed to all but a group that opens far more',
    input({ gpuDevicesClosed: [{ path: '/dev/nvmap', group: 'disk' }] }),
    'fail · a unit of dgx cannot open /dev/nvmap (group disk) → ls -l /dev/nvmap; they belong to video or render.',
  ],
  [
    'not looked at',
    input({ gpuDevicesClosed: null }),
    'warn · no unit of the user could be started to look at the GPU’s device files → systemd-run --user --pipe --wait ls -l /dev/nvidia0',
  ],
]);

table('address-owned', [
  ['held', input(), 'pass · enp1s0f0np0 holds 10.0.0.25, MTU 9000'],
  [
    'not held',
    input({}, { address: '10.0.0.2' }),
    'fail · no interface holds 10.0.0.2; there are 192.168.1.31 (enP7s7), 10.0.0.25 (enp1s0f0np0) and 10.0.9.9 (enp1s0f1np1) → Set nodes[].address to the one on the cluster network.',
  ],
  [
    'no interfaces read',
    input({ interfaces: [] }),
    'fail · no interface holds 10.0.0.25; there are no addresses → Set nodes[].address to the one on the cluster network.',
  ],
  [
    'no cable',
    input({}, { address: '10.0.9.9' }),
    'fail · enp1s0f1np1 holds 10.0.9.9 and has no link → Look at its cable; then: sudo ip link set enp1s0f1np1 up',
  ],
]);

table('interface-named', [
  ['none named', input(), 'pass · the file names none; the one that holds the address is taken'],
  ['the right one', input({}, { interface: 'enp1s0f0np0' }), 'pass · enp1s0f0np0 exists'],
  [
    'a prefix of one is not one',
    input({}, { interface: 'enp1s0f0' }),
    'fail · there is no interface enp1s0f0; there are lo, enP7s7, enp1s0f0np0 and enp1s0f1np1 → Correct nodes[].interface, or remove it: then the one that holds the address is taken.',
  ],
  [
    'on another network',
    input({}, { interface: 'enP7s7' }),
    'warn · enP7s7 does not hold 10.0.0.25, so NCCL and Gloo use another network than Ray → Remove nodes[].interface unless this is meant.',
  ],
]);

table('own-name-loopback', [
  ['the cluster address', input(), 'pass · spark-ea8e resolves to 10.0.0.25'],
  [
    'Debian’s line in /etc/hosts',
    input({ ownNameAddresses: ['127.0.1.1'] }),
    'warn · spark-ea8e resolves to 127.0.1.1 there, which peers of Gloo could not reach → Nothing to do: windlass sets GLOO_SOCKET_IFNAME=enp1s0f0np0.',
  ],
  [
    'nothing',
    input({ ownNameAddresses: [] }),
    'warn · spark-ea8e resolves to nothing there → Add a line to /etc/hosts there: 10.0.0.25 spark-ea8e',
  ],
]);

const free = 'pass · TCP 6379 to 6385, 5000, 28500, 7233, 8233 and 7243 are free or held by units of ours';
const held = (...listeners: ReturnType<typeof listener>[]) => input({ listeners });
table('port-free', [
  ['free', input(), free],
  ['another port', held(listener({ port: 22 })), free],
  [
    'a unit of ours',
    held(
      listener({
        pid: 9,
        process: 'gcs_server',
        user: 'dgx',
        unit: 'windlass-ray-1.service',
        userUnit: true,
      }),
    ),
    free,
  ],
  [
    'Redis, a service of the system',
    held(listener({ pid: 812, process: 'redis-server', user: 'redis', unit: 'redis-server.service' })),
    'fail · TCP 6379 is held by redis-server (pid 812, user redis, redis-server.service), which windlass did not start → sudo systemctl stop redis-server.service, or set ray.port.',
  ],
  [
    'a process of this user',
    held(listener({ port: 5000, address: '0.0.0.0', pid: 77, process: 'python3', user: 'dgx' })),
    'fail · TCP 5000 is held by python3 (pid 77, user dgx), which windlass did not start → kill 77, or set serving.port.',
  ],
  [
    'a unit of this user',
    held(listener({ port: 28500, pid: 78, process: 'x', user: 'dgx', unit: 'x.service', userUnit: true })),
    'fail · TCP 28500 is held by x (pid 78, user dgx, x.service), which windlass did not start → systemctl --user stop x.service, or set serving.rendezvousPort.',
  ],
  [
    'a unit of another user',
    held(listener({ pid: 78, process: 'x', user: 'eve', unit: 'x.service', userUnit: true })),
    'fail · TCP 6379 is held by x (pid 78, user eve, x.service), which windlass did not start → sudo systemctl --user --machine=eve@ stop x.service, or set ray.port.',
  ],
  [
    'root, of whom nothing more can be read',
    held(listener({ port: 7233, address: '127.0.0.1' })),
    "fail · TCP 7233 is held by a process (user root), which windlass did not start → sudo ss -ltnp 'sport = :7233', or set temporal.port.",
  ],
  [
    'another user’s process',
    held(listener({ port: 7243, pid: 5, process: 'nc', user: 'eve' })),
    'fail · TCP 7243 is held by nc (pid 5, user eve), which windlass did not start → sudo kill 5, or set temporal.frontPort.',
  ],
  ['the API’s port on another address', held(listener({ port: 5000, address: '127.0.0.1' })), free],
  ['the home’s port on the cluster address only', held(listener({ port: 7233, address: '10.0.0.25' })), free],
  [
    'two at once',
    held(
      listener({ pid: 1, process: 'a', user: 'dgx' }),
      listener({ port: 5000, address: '10.0.0.25', pid: 2, process: 'b', user: 'dgx' }),
    ),
    'fail · TCP 6379 is held by a (pid 1, user dgx), which windlass did not start → kill 1, or set ray.port.',
    'fail · TCP 5000 is held by b (pid 2, user dgx), which windlass did not start → kill 2, or set serving.port.',
  ],
  [
    'a Temporal of one’s own',
    {
      ...held(listener({ port: 7233 })),
      spec: specWith({ temporal: { address: 'temporal.lan:7233', plaintext: true } }),
    },
    'pass · TCP 6379 to 6385, 5000 and 28500 are free or held by units of ours',
  ],
  [
    'a Temporal of one’s own on the head, behind the front',
    { ...held(listener({ port: 7243 })), spec: specWith({ temporal: { address: '127.0.0.1:7233' } }) },
    "fail · TCP 7243 is held by a process (user root), which windlass did not start → sudo ss -ltnp 'sport = :7243', or set temporal.frontPort.",
  ],
  [
    'unknown',
    input({ listeners: null }),
    'warn · who listens on 6379 to 6385, 5000, 28500, 7233, 8233 and 7243 cannot be read → Install iproute2 there: sudo apt install iproute2',
  ],
  [
    'a worker node',
    input({ listeners: [listener({})] }, { name: 'spark-4080' }),
    'pass · TCP 6380 to 6385 are free or held by units of ours',
  ],
  [
    'a worker node where somebody has a port of Ray’s helpers',
    input({ listeners: [listener({ port: 6380 })] }, { name: 'spark-4080' }),
    "fail · TCP 6380 is held by a process (user root), which windlass did not start → sudo ss -ltnp 'sport = :6380', or set ray.port.",
  ],
]);

table('hand-started', [
  ['nothing', input(), 'pass · no Ray and no engine beside ours'],
  [
    'Ollama is another check’s',
    input({ strangers: [stranger({ kind: 'ollama' })] }),
    'pass · no Ray and no engine beside ours',
  ],
  [
    'Ray and its actors',
    input({
      strangers: [
        stranger({ pid: 10, command: '/x/gcs_server --log_dir=/tmp' }),
        stranger({ pid: 11, command: '/x/raylet --a' }),
        stranger({ pid: 12, command: 'ray::SchedulerActor.run' }),
      ],
    }),
    'fail · Ray runs that windlass did not start: gcs_server (pid 10, user dgx) and raylet (pid 11, user dgx) → kill 10 11',
  ],
  [
    'Ray in a unit, and an engine of another user',
    input({
      strangers: [
        stranger({ pid: 10, unit: 'ray.service' }),
        stranger({
          kind: 'engine',
          pid: 20,
          user: 'eve',
          command: 'python3 -m vllm.entrypoints.openai.api_server',
        }),
      ],
    }),
    'fail · Ray runs that windlass did not start: raylet (pid 10, user dgx) → sudo systemctl stop ray.service',
    'fail · an engine runs that windlass did not start: python3 (pid 20, user eve) → sudo kill 20',
  ],
  [
    'an actor alone',
    input({ strangers: [stranger({ pid: 12, command: 'ray::IDLE' })] }),
    'fail · Ray runs that windlass did not start: ray::IDLE (pid 12, user dgx) → kill 12',
  ],
]);

table('memory-holders', [
  ['nothing', input(), 'pass · nothing else is known to hold GPU memory'],
  [
    'Ollama',
    input({
      strangers: [
        stranger({
          kind: 'ollama',
          pid: 3,
          user: 'ollama',
          command: '/usr/local/bin/ollama serve',
          unit: 'ollama.service',
        }),
      ],
    }),
    'warn · Ollama holds memory: ollama (pid 3, user ollama) → sudo systemctl stop ollama.service',
  ],
  [
    'a desktop',
    input({
      strangers: ['Xorg', 'gnome-shell', 'gdm3', 'Xwayland'].map((command, at) =>
        stranger({
          kind: 'desktop',
          pid: at + 1,
          user: 'gdm',
          command,
          gpuBytes: at === 0 ? 300 * 1024 ** 2 : null,
        }),
      ),
    }),
    'warn · a desktop holds memory: Xorg (pid 1, user gdm), gnome-shell (pid 2, user gdm), gdm3 (pid 3, user gdm) and 1 more, 0.3 GiB of it on the GPU → sudo systemctl isolate multi-user.target (and set-default, so that it stays off after a reboot)',
  ],
  [
    'another program on the GPU',
    input({ strangers: [stranger({ kind: 'gpu', pid: 4, command: 'blender', gpuBytes: 20 * gibibyte })] }),
    'warn · another program holds memory: blender (pid 4, user dgx), 20 GiB of it on the GPU → kill 4',
  ],
]);

table('memory-available', [
  ['free', input(), 'pass · 112 GiB of 122 GiB memory are free'],
  [
    'taken, on unified memory',
    input({ memory: { totalBytes: 122 * gibibyte, availableBytes: 30 * gibibyte } }),
    'warn · 30 GiB of 122 GiB memory are free; GPU and host share it, so the model gets less → See what holds it: ps -eo rss,pid,user,comm --sort=-rss | head',
  ],
  [
    'taken by our engine',
    input({
      memory: { totalBytes: 122 * gibibyte, availableBytes: 9 * gibibyte },
      state: {
        ...state,
        units: [
          {
            name: 'windlass-engine-0123456789abcdef',
            active: 'active',
            mainPid: 1,
            processes: [],
            result: null,
          },
        ],
      },
    }),
    'pass · 9.0 GiB of 122 GiB memory are free; our engine runs there',
  ],
  [
    'little, with a GPU that has its own',
    input({ hardware: 'other', memory: { totalBytes: 64 * gibibyte, availableBytes: 5 * gibibyte } }),
    'pass · 5.0 GiB of 64 GiB memory are free',
  ],
  [
    'unknown',
    input({ memory: { totalBytes: 1, availableBytes: null } }),
    'warn · free memory cannot be read → Run head -3 /proc/meminfo there.',
  ],
]);

const [rootDisk, modelDisk] = facts().disks;
if (!rootDisk || !modelDisk) throw new Error('the facts have two disks');
const rootOn = (changes: object) => input({ disks: [{ ...rootDisk, ...changes }, modelDisk] });

table('root-local', [
  ['local', input(), 'pass · /home/dgx/.local/share/windlass is on ext4'],
  [
    'NFS',
    rootOn({ fileSystem: 'nfs4' }),
    'fail · /home/dgx/.local/share/windlass is on nfs4: two nodes would take it for their own, and sockets do not work there → Set root to a folder on a local disk of each node.',
  ],
  ['unknown', input({ disks: [] }), 'warn · the file system of root cannot be read → Run df -T there.'],
]);

table('path-length', [
  ['short', input(), 'pass · /home/dgx/.local/share/windlass/ray has 35 characters'],
  [
    'exactly as long as may be',
    input({ user: { ...user, home: '/home/thirteen-char' } }),
    'pass · /home/thirteen-char/.local/share/windlass/ray has 45 characters',
  ],
  [
    'too long',
    input({ user: { ...user, home: '/home/a-very-long-user-name' } }),
    'fail · /home/a-very-long-user-name/.local/share/windlass/ray has 53 characters; Ray’s sockets allow 45 → Set root to a shorter folder, as /var/lib/windlass made for this user.',
  ],
]);

const ready = {
  hash: 'e',
  request: '',
  lock: '9'.repeat(64),
  python: '3.12.3',
  listing: '1',
  packages: 1,
  bytes: 1,
  at: 1,
};
const wanted = wantedEnvironment(spec, 'spark', 'aarch64');
const request = wanted.kind === 'built' ? wanted.hash : '';
const withEnvironment = { ...state, environments: [{ ...ready, request, listingNow: '1' }] };
const changedEnvironment = { ...state, environments: [{ ...ready, request, listingNow: '2' }] };
const model = {
  key: modelKey(spec),
  model: 'm',
  commit: null,
  path: '/m',
  files: 2,
  bytes: 2,
  at: 1,
  filesNow: 2,
  bytesNow: 2,
};
const withModel = { ...state, models: [model] };

table('disk-environment', [
  ['room', input(), 'pass · /home/dgx/.local/share/windlass has 900 GiB free'],
  [
    'little',
    rootOn({ freeBytes: 8 * gibibyte }),
    'warn · /home/dgx/.local/share/windlass has 8.0 GiB free; an environment takes 6.1 GiB, and its download up to 5 GB beside it → Free some, or set root to a larger disk.',
  ],
  [
    'too little',
    rootOn({ freeBytes: 5 * gibibyte }),
    'fail · /home/dgx/.local/share/windlass has 5.0 GiB free; an environment takes 6.1 GiB → Free some, or set root to a larger disk.',
  ],
  [
    'too little, and the environment is there',
    {
      ...rootOn({ freeBytes: 1 }),
      facts: facts({ disks: [{ ...rootDisk, freeBytes: 1 }], state: withEnvironment }),
    },
    'pass · the wanted environment is there already',
  ],
  [
    'too little, and the environment was changed',
    input({ disks: [{ ...rootDisk, freeBytes: 0 }], state: changedEnvironment }),
    'fail · /home/dgx/.local/share/windlass has 0.0 GiB free; an environment takes 6.1 GiB → Free some, or set root to a larger disk.',
  ],
  [
    'an environment built by hand',
    input({ disks: [] }, {}, specWith({ environments: { spark: { path: '/home/dgx/.venv' } } })),
    'pass · the wanted environment is there already',
  ],
  ['unknown', input({ disks: [] }), 'warn · free space at root cannot be read → Run df -h there.'],
]);

table('disk-model', [
  ['room', input(), 'pass · /home/dgx/.cache/huggingface has 900 GiB free'],
  [
    'too little for any',
    input({ disks: [{ ...modelDisk, freeBytes: 100 }] }),
    'warn · /home/dgx/.cache/huggingface has 0.0 GiB free, which no model that serves fits into → Free some, or mount a larger disk at ~/.cache/huggingface there.',
  ],
  ['the model is there', input({ disks: [], state: withModel }), 'pass · the model is there already'],
  [
    'part of the model is there',
    input({ disks: [], state: { ...state, models: [{ ...model, bytesNow: 1 }] } }),
    'warn · free space for the model cannot be read → Run df -h there.',
  ],
  [
    'a model by path',
    input({ disks: [] }, {}, specWith({ model: { path: '/models/m' } })),
    'pass · the model is a folder of the owner’s; nothing is fetched',
  ],
]);

const answers = (url: string, reachable: boolean | null, reason: string | null) => ({
  reach: [{ url, reachable, reason }],
});
table('index-reachable', [
  ['answers', input(), 'pass · https://pypi.org/simple answers'],
  [
    'does not',
    input(answers('https://pypi.org/simple', false, 'Could not resolve host: pypi.org')),
    'fail · the index https://pypi.org/simple does not answer: Could not resolve host: pypi.org → Look from there: curl -I https://pypi.org/simple; or set environments.spark.index.',
  ],
  [
    'does not, and is not needed',
    input({ ...answers('https://pypi.org/simple', false, 'HTTP 503'), state: withEnvironment }),
    'warn · the index https://pypi.org/simple does not answer: HTTP 503; what it would give is there already → Look from there: curl -I https://pypi.org/simple',
  ],
  [
    'nothing to ask with',
    input(answers('https://pypi.org/simple', null, 'there is no curl, python3 or wget to ask with')),
    'warn · whether the index https://pypi.org/simple answers is not known: there is no curl, python3 or wget to ask with → curl -I https://pypi.org/simple',
  ],
  [
    'not asked',
    input({ reach: [] }),
    'warn · whether the index https://pypi.org/simple answers is not known: it was not asked → curl -I https://pypi.org/simple',
  ],
  [
    'the indexes of the node’s class, each for itself',
    input(
      {
        reach: [
          { url: 'http://a/', reachable: true, reason: null },
          { url: 'http://b/', reachable: false, reason: 'refused' },
        ],
      },
      {},
      specWith({
        environments: {
          spark: { index: 'http://a/', extraIndexes: ['http://b/'] },
          thor: { index: 'http://c/' },
        },
      }),
    ),
    'fail · the index http://b/ does not answer: refused → Look from there: curl -I http://b/; or set environments.spark.index.',
  ],
]);

table('hub-reachable', [
  ['answers', input(), 'pass · https://huggingface.co answers'],
  [
    'does not',
    input(answers('https://huggingface.co', false, 'HTTP 502')),
    'fail · the hub https://huggingface.co does not answer: HTTP 502 → Look from there: curl -I https://huggingface.co; or set model.endpoint.',
  ],
  [
    'does not, and the model is there',
    input({ ...answers('https://huggingface.co', false, 'HTTP 502'), state: withModel }),
    'warn · the hub https://huggingface.co does not answer: HTTP 502; what it would give is there already → Look from there: curl -I https://huggingface.co',
  ],
  [
    'a model by path',
    input({ reach: [] }, {}, specWith({ model: { path: '/models/m' } })),
    'pass · the model is given by path; no hub is needed',
  ],
]);

const ownedBy = (cluster: string, home: string) =>
  input({ state: { ...state, owner: { cluster, home, fence: { startedAt: 1, run: 'r1' } } } });
table('owner', [
  ['nobody', input(), 'pass · nobody owns the node'],
  ['us', ownedBy('nemotron', headId), 'pass · the node belongs to this cluster since run r1'],
  [
    'us, while the home is not known',
    { ...ownedBy('nemotron', secondId), homeId: null },
    'pass · the node belongs to this cluster since run r1',
  ],
  [
    'another cluster',
    ownedBy('qwen', secondId),
    `fail · the node belongs to the cluster qwen (home ${secondId}) → windlass down --purge with the file of qwen, or choose another node.`,
  ],
  [
    'another home',
    ownedBy('nemotron', secondId),
    `fail · the node belongs to another home (${secondId}) of a cluster that is also called nemotron → windlass down --purge from there, or choose another name for this cluster.`,
  ],
]);

table('node-identity', [
  ['the node', input(), `pass · the machine is node ${headId}`],
  [
    'not placed yet',
    input({ state: { ...state, identity: null } }),
    'pass · the machine has no id yet; windlass up mints one',
  ],
  ['the file knows no ids', input({}, { id: undefined }), `pass · the machine is node ${headId}`],
  [
    'another machine',
    input({ state: { ...state, identity: { id: secondId, mintedAt: 1 } } }),
    `fail · the machine is node ${secondId}, the run wants ${headId} → Was the address given to another machine? windlass up from the operator’s machine places it again.`,
  ],
]);
