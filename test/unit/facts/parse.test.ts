import { describe, expect, it } from '@jest/globals';
import { parseFacts } from '../../../src/cluster/facts/parse.ts';
import { WindlassError } from '../../../src/errors.ts';
import { readFacts } from '../../../src/placing/read-facts.ts';
import type { FrameTexts } from './answer.ts';
import { answerOf, envelope, fixture } from './answer.ts';

const spark = parseFacts(answerOf(fixture('spark')));
const thor = parseFacts(answerOf(fixture('thor')));

function errorOf(answer: string): WindlassError {
  try {
    parseFacts(answer);
  } catch (error) {
    if (error instanceof WindlassError) return error;
    throw error;
  }
  throw new Error('no error');
}

describe('a Spark that serves, with others beside us', () => {
  it('reads the machine', () => {
    expect(spark).toMatchObject({
      clock: 1795581714695,
      hostName: 'spark-ea8e',
      machine: 'aarch64',
      glibc: '2.39',
      os: 'Ubuntu 24.04.3 LTS',
      memory: { totalBytes: 127601452 * 1024, availableBytes: 118230112 * 1024 },
      systemd: {
        running: true,
        version: 255,
        userManager: true,
        linger: true,
        polkit: true,
        unified: true,
      },
      ownNameAddresses: ['127.0.1.1'],
      rdmaInterfaces: ['enp1s0f0np0'],
    });
    expect(spark.user).toEqual({
      name: 'dgx',
      uid: 1000,
      home: '/home/dgx',
      groups: ['dgx', 'adm', 'sudo', 'video', 'render', 'domain users'],
    });
  });

  it('reads GPU, class, driver, assemblers, and the device files that a unit cannot open', () => {
    expect(spark).toMatchObject({
      gpus: [{ name: 'NVIDIA GB10', capability: '12.1' }],
      gpuError: null,
      driver: '580.95.05',
      hardware: 'spark',
      gpuDevicesClosed: [
        { path: '/dev/nvhost-gpu', group: 'video' },
        { path: '/dev/nvmap', group: 'render' },
      ],
    });
    expect(spark.ptxas).toHaveLength(3);
  });

  it('reads interfaces, and takes one without a cable as down', () => {
    expect(spark.interfaces.map(({ name, up }) => `${name} ${up}`)).toEqual([
      'lo true',
      'enP7s7 true',
      'enp1s0f0np0 true',
      'enp1s0f1np1 false',
      'docker0 false',
    ]);
    expect(spark.interfaces[2]).toMatchObject({
      mtu: 9000,
      addresses: ['10.0.0.25', 'fe80::4ebb:47ff:fe00:3'],
    });
  });

  it('names who listens: ours by unit, another user by their only process, root by the unit', () => {
    const unit = 'windlass-ray-0123456789abcdef.service';
    expect(spark.listeners).toEqual([
      {
        port: 8233,
        address: '127.0.0.1',
        pid: 812,
        process: 'redis-server',
        user: 'redis',
        unit: 'redis-server.service',
        userUnit: false,
      },
      { port: 6379, address: '*', pid: 4200, process: 'gcs_server', user: 'dgx', unit, userUnit: true },
      {
        port: 5000,
        address: '10.0.0.25',
        pid: null,
        process: null,
        user: 'root',
        unit: 'nginx.service',
        userUnit: false,
      },
      { port: 7233, address: '::1', pid: null, process: null, user: 'uid 4242', unit: null, userUnit: false },
    ]);
  });

  it('tells strangers from ours, and an engine from a file about one', () => {
    expect(spark.strangers.map(({ kind, pid, user, unit }) => [kind, pid, user, unit])).toEqual([
      ['ollama', 2222, 'ollama', 'ollama.service'],
      ['desktop', 5050, 'gdm', null],
      ['engine', 6060, 'dgx', null],
    ]);
    expect(spark.strangers.map(({ gpuBytes }) => gpuBytes)).toEqual([null, 210 * 1024 ** 2, null]);
    expect(spark.strangers[2]?.command).toBe('python3 -m sglang.launch_server --model-path /models/x');
  });

  it('reads interpreters by asking and by folder, disks, and what could be reached', () => {
    expect(spark.pythons.map(({ version }) => version)).toEqual(['3.12.3', '3.12.12']);
    expect(spark.disks.map(({ purpose, fileSystem, freeBytes }) => [purpose, fileSystem, freeBytes])).toEqual(
      [
        ['root', 'ext4', 3187671068672],
        ['model', 'ext4', 3187671068672],
      ],
    );
    expect(spark.reach).toEqual([
      { url: 'https://pypi.org/simple', reachable: true, reason: null },
      { url: 'https://huggingface.co', reachable: false, reason: 'Could not resolve host: huggingface.co' },
    ]);
  });

  it('reads what windlass keeps there', () => {
    const { state } = spark;
    expect(state).toMatchObject({
      identity: { id: '00112233445566aa' },
      owner: { cluster: 'nemotron', fence: { run: 'run-1' } },
      payload: '0.1.0',
      locks: { a1b2c3d4e5f60718: '9'.repeat(64) },
      proofs: [{ environment: '3f1c9a0b7d2e4f56', capability: '12.1' }],
      models: [{ key: '77aa77aa77aa77aa', files: 3, bytes: 60, filesNow: 3, bytesNow: 60 }],
    });
    expect(state.environments[0]?.listingNow).toBe(state.environments[0]?.listing);
  });

  it('reads units with their processes, also of groups below, and the results of those that ended', () => {
    const result = { exitCode: 137, signal: null, startedAt: 1795000000005, endedAt: 1795000000006 };
    expect(spark.state.units).toEqual([
      {
        name: 'windlass-ray-0123456789abcdef',
        active: 'active',
        mainPid: 4100,
        processes: [
          { pid: 4100, startTicks: 880001, command: '/x/bin/python3 /x/bin/ray start --block' },
          { pid: 4200, startTicks: 880100, command: 'gcs_server' },
          {
            pid: 4250,
            startTicks: 880150,
            command:
              '/x/lib/ray/core/src/ray/raylet/raylet --raylet_socket_name=/x/ray/session_2/sockets/raylet',
          },
          { pid: 4321, startTicks: 880777, command: 'ray::SchedulerActor.run_event_loop' },
        ],
        result: null,
      },
      { name: 'windlass-engine-fedcba9876543210', active: 'failed', mainPid: null, processes: [], result },
      {
        name: 'windlass-wheels-1111111111111111',
        active: 'inactive',
        mainPid: null,
        processes: [],
        result: { exitCode: 0, signal: null, startedAt: 1795000000007, endedAt: 1795000000008 },
      },
    ]);
  });
});

describe('a unit whose folder somebody has removed', () => {
  const found = (files: string) => {
    const answer = answerOf({ ...fixture('spark'), 'unit-files': files });
    return parseFacts(answer).state.units.map(({ name, lost }) => [name, lost]);
  };

  it('is told from one that runs from its files, and from one that does not run', () => {
    expect(found('windlass-engine-fedcba9876543210\n')).toEqual([
      ['windlass-ray-0123456789abcdef', 'files'],
      ['windlass-engine-fedcba9876543210', undefined],
      ['windlass-wheels-1111111111111111', undefined],
    ]);
    expect(found('windlass-ray-0123456789abcdef\n').map(([, lost]) => lost)).not.toContain('files');
  });
});

describe('a Ray unit that is deaf', () => {
  const lost = (frames: FrameTexts) =>
    parseFacts(answerOf({ ...fixture('spark'), ...frames })).state.units[0]?.lost;

  it('is one whose token was written anew', () => {
    expect(lost({ 'ray-outdated': 'windlass-ray-0123456789abcdef\n' })).toBe('session');
    expect(lost({ 'ray-outdated': 'windlass-ray-1111111111111111\n' })).toBeUndefined();
  });

  it('is one whose sockets are gone, where they were in our folder', () => {
    expect(lost({ 'ray-sockets': '/x/ray\n/x/ray/session_1/sockets\n' })).toBe('session');
    expect(
      lost({ 'ray-sockets': '/x/ray\n/x/ray/session_1/sockets\n/x/ray/session_2/sockets\n' }),
    ).toBeUndefined();
    expect(lost({ 'ray-sockets': '/elsewhere/ray\n' })).toBeUndefined();
  });
});

describe('a Ray unit that has lost a daemon', () => {
  const lostOf = ({ without = [], isHead = false }: { without?: readonly string[]; isHead?: boolean }) => {
    const { process = [], commands, ...others } = fixture('spark');
    const left = [process].flat().filter((text) => !without.includes(text.split('\n')[0] ?? ''));
    const head = isHead ? '/proc/4100/cmdline:--head\n' : '';
    const answer = answerOf({ ...others, process: left, commands: `${String(commands)}${head}` });
    return parseFacts(answer).state.units[0]?.lost;
  };
  const [gcs, raylet, rank] = ['4200', '4250', '4321'];

  it('is told, whether or not its ranks still live', () => {
    expect(lostOf({ isHead: true })).toBeUndefined();
    expect(lostOf({ without: [raylet] })).toBe('daemon');
    expect(lostOf({ without: [raylet, rank] })).toBe('daemon');
    expect(lostOf({ without: [gcs], isHead: true })).toBe('daemon');
    expect(lostOf({ without: [gcs] })).toBeUndefined();
  });

  it('is not told where no command line can be read', () => {
    const { commands: _none, ...others } = fixture('spark');
    expect(parseFacts(answerOf(others)).state.units[0]?.lost).toBeUndefined();
  });
});

describe('a Thor that was just installed', () => {
  it('reads the class from the name, and keeps what the driver does not tell unknown', () => {
    expect(thor).toMatchObject({
      hardware: 'thor',
      gpus: [{ name: 'NVIDIA Thor', capability: '11.0' }],
      driver: '580.00',
      gpuDevicesClosed: null,
      listeners: [],
      systemd: { userManager: true, linger: false },
      state: { identity: null, owner: null, payload: null, environments: [], units: [] },
    });
    expect(thor.tegra).toMatch(/^# R38 \(release\), REVISION: 2\.0/);
    expect(thor.disks[1]?.fileSystem).toBe('nfs4');
  });
});

it('reads where a listener listens, however its address is written', () => {
  const row = (address: string) => `LISTEN 0 128 ${address}:8233 0.0.0.0:*\n`;
  const listeners = ['[::ffff:127.0.0.1]', '127.0.0.1%lo', '[fe80::1]%eth0', '*'].map(row).join('');
  expect(
    readFacts(answerOf({ ...fixture('thor'), listeners })).listeners?.map(({ address }) => address),
  ).toEqual(['127.0.0.1', '127.0.0.1', 'fe80::1', '*']);
});

it('takes what is no certificate for none', () => {
  const frames = { ...fixture('spark'), 'certificate/certificates/node.crt': 'none' };
  expect(readFacts(answerOf(frames)).state.certificates).toEqual([]);
});

describe('what nvidia-smi says when it has nothing good to say', () => {
  const driver =
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver. Make sure that the latest NVIDIA driver is installed and running.";
  it.each([
    ['a driver error', `9\n${driver}\n`, driver],
    ['no tool', "127\ntimeout: failed to run command 'nvidia-smi'", 'nvidia-smi is not installed'],
    ['a hang', '124\n', 'nvidia-smi gave no answer within 10 s'],
    ['no devices', '6\nNo devices were found\n', 'No devices were found'],
    ['no devices, with success', '0\nNo devices were found\n', 'No devices were found'],
    [
      'another language',
      '9\nNVIDIA-SMI échoué : pilote introuvable\n',
      'NVIDIA-SMI échoué : pilote introuvable',
    ],
    [
      'an old field',
      '2\nField "compute_cap" is not a valid field to query.\n',
      'Field "compute_cap" is not a valid field to query.',
    ],
    ['nothing', '255\n', 'nvidia-smi ended with exit code 255'],
    ['a terminal escape', '1\n\u001b]52;c;cHdu\u0007', '\\u001b]52;c;cHdu\\u0007'],
    ['no frame', undefined, 'nvidia-smi was not asked'],
  ])('keeps %s in the tool’s own words, and reads no GPU', (_what, gpus, said) => {
    const facts = parseFacts(answerOf({ ...fixture('spark'), gpus }));
    expect([facts.gpus, facts.gpuError, facts.hardware, facts.driver]).toEqual([[], said, 'other', null]);
  });

  it.each([
    ['NVIDIA H200, 9.0, 570.1', 'other', '9.0'],
    ['NVIDIA GB10, [N/A], [N/A]', 'spark', null],
    ['Orin (nvgpu), 8.7, 540.4.0', 'other', '8.7'],
    ['Graphics Device, 11.0, 580.00', 'thor', '11.0'],
    ['Graphics Device, 12.1, 580.00', 'spark', '12.1'],
    ['NVIDIA Thorium X, 12.0, 580.00', 'other', '12.0'],
  ])('puts %s into class %s', (row, hardware, capability) => {
    const facts = parseFacts(answerOf({ ...fixture('spark'), gpus: `0\n${row}\n` }));
    expect([facts.hardware, facts.gpus[0]?.capability]).toEqual([hardware, capability]);
  });
});

describe('what could be reached', () => {
  it.each([
    ['HTTP 404', true, null],
    ['HTTP 401', true, null],
    ['HTTP 301', true, null],
    ['HTTP 503', false, 'HTTP 503'],
    ['HTTP 407', false, 'a proxy wants a login (HTTP 407)'],
    [
      'curl: (28) Connection timed out after 3001 milliseconds\nHTTP 000',
      false,
      'Connection timed out after 3001 milliseconds',
    ],
    [
      'error: <urlopen error [Errno 111] Connection refused>',
      false,
      '<urlopen error [Errno 111] Connection refused>',
    ],
    ['  HTTP/1.1 302 Found\n  HTTP/1.1 200 OK', true, null],
    ['', false, 'no answer within 3 s'],
    ['no tool', null, 'there is no curl, python3 or wget to ask with'],
  ])('%s', (said, reachable, reason) => {
    const facts = parseFacts(answerOf({ ...fixture('thor'), reach: [`http://10.0.0.1:8099/\n${said}`] }));
    expect(facts.reach).toEqual([{ url: 'http://10.0.0.1:8099/', reachable, reason }]);
  });
});

describe('answers that are none', () => {
  const whole = answerOf(fixture('spark'));
  it.each([
    ['nothing', ''],
    ['a page', '<html><head><title>502 Bad Gateway</title></head></html>'],
    ['a text that never was base64', 'windlass-facts 1\n%%%%\nwindlass-facts end\n'],
    ['one cut in the middle', whole.slice(0, whole.length / 2)],
    ['one cut, with its end put back', `${whole.slice(0, 4000)}\nwindlass-facts end\n`],
    ['a length that points outside', envelope(Buffer.from('== clock 99999999\n1\n'))],
    ['a length too short', envelope(Buffer.from('== clock 2\n1234\n== end 0\n\n'))],
    ['frames without the last', answerOf({ ...fixture('spark'), end: undefined })],
    ['60 MB', `windlass-facts 1\n${'A'.repeat(60_000_000)}\nwindlass-facts end\n`],
  ])('%s is FACT_UNREADABLE', (_what, answer) => {
    expect(errorOf(answer)).toMatchObject({ code: 'FACT_UNREADABLE', data: { fact: 'all' } });
  });

  it.each([
    ['clock', { clock: undefined }, 'nothing'],
    ['clock', { clock: 'soon\u0007' }, 'soon\\u0007'],
    ['user', { id: 'id: cannot find name' }, 'id: cannot find name'],
    ['user', { home: '' }, 'uid=1000(dgx) gid=1000(dgx) groups=1000(dgx),27(sudo)'],
    ['owner.json', { exists: ['owner.json'], 'file/owner.json': '{"cluster":"a"' }, '{"cluster":"a"'],
    ['owner.json', { exists: ['owner.json'], 'file/owner.json': '{}' }, '{}'],
    ['node.json', { exists: ['node.json'] }, 'nothing'],
  ])('a broken %s says which, with its first bytes', (fact, frames, answer) => {
    const error = errorOf(answerOf({ ...fixture('thor'), ...frames }));
    expect(error.data).toEqual({ fact, answer });
  });

  it('passes over what login scripts print around the answer', () => {
    expect(parseFacts(`Welcome to spark\n${whole}logout\n`)).toEqual(spark);
  });
});

const marker = (text: string) =>
  parseFacts(answerOf({ ...fixture('thor'), 'file/proofs/a.json': text, 'file/models/b.json': text })).state;

describe('hostile content', () => {
  it('cannot forge a frame', () => {
    const forged = '\n== clock 1\n0\n== file/owner.json 2\n{}\n';
    const facts = parseFacts(answerOf({ ...fixture('thor'), hostname: `thor${forged}`, 'own-name': forged }));
    expect([facts.clock, facts.hostName, facts.state.owner]).toEqual([1795581714701, 'thor', null]);
  });

  it('touches no prototype, and takes no unknown key over', () => {
    const proto = '{"__proto__":{"polluted":true},"constructor":1,"id":"00112233445566aa","mintedAt":1}';
    const facts = parseFacts(
      answerOf({ ...fixture('thor'), exists: ['node.json'], 'file/node.json': proto }),
    );
    expect(facts.state.identity).toEqual({ id: '00112233445566aa', mintedAt: 1 });
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
  });

  it('reads deep nesting, duplicate keys and wrong types as no marker', () => {
    for (const text of ['['.repeat(60_000), '{"at":1,"at":{}}', 'null', '<html>', '']) {
      expect(marker(text)).toMatchObject({ proofs: [], models: [] });
    }
  });

  it('reads interfaces that are not JSON of the known form as none', () => {
    for (const interfaces of [
      '',
      '[{"ifname":7}]',
      '{"__proto__":[]}',
      'Object "-j" is unknown',
      undefined,
    ]) {
      expect(parseFacts(answerOf({ ...fixture('thor'), interfaces })).interfaces).toEqual([]);
    }
  });

  it('keeps bytes that are no UTF-8 from moving anything', () => {
    const frames = Buffer.concat([
      Buffer.from('== hostname 4\n'),
      Buffer.from([0x61, 0xff, 0xfe, 0x62]),
      Buffer.from('\n'),
    ]);
    const rest = Buffer.from(
      answerOf({ ...fixture('thor'), hostname: undefined })
        .split('\n')
        .slice(1, -2)
        .join(''),
      'base64',
    );
    expect(parseFacts(envelope(Buffer.concat([frames, rest])))).toMatchObject({
      hostName: 'a��b',
      machine: 'aarch64',
    });
  });

  it('escapes every string that a terminal would act on', () => {
    const evil = 'x\u001b[2J\u202e\u200b\ufeff';
    const facts = parseFacts(
      answerOf({
        ...fixture('spark'),
        hostname: evil,
        machine: evil,
        'os-release': `PRETTY_NAME="${evil}"\n`,
        nv_tegra_release: evil,
        ptxas: `/usr/${evil}\n`,
        commands: `/proc/2222/cmdline:${evil}\n`,
        reach: [`http://${evil}\ncurl: (6) ${evil}\nHTTP 000`],
        'own-name': `a\n${evil}`,
        payload: evil,
      }),
    );
    const strings: string[] = [];
    JSON.stringify(facts, (_key, value: unknown) => {
      if (typeof value === 'string') strings.push(value);
      return value;
    });
    expect(strings.filter((text) => text.includes('\\u001b[2J')).length).toBeGreaterThan(8);
    const dangerous = ['\u001b', '\u202e', '\u200b', '\ufeff'];
    expect(strings.filter((text) => dangerous.some((each) => text.includes(each)))).toEqual([]);
  });

  it('reads unknown amounts as unknown, never as zero', () => {
    const facts = parseFacts(
      answerOf({
        ...fixture('thor'),
        meminfo: 'MemTotal: lots\n',
        disks: '/a\n/b\nType Avail Mounted on\next4 - /',
        listeners: undefined,
        linger: 'unknown',
        devices: undefined,
        glibc: 'getconf: no such variable',
        manager: undefined,
        'manager-error': 'Failed to connect to bus',
      }),
    );
    expect(facts).toMatchObject({
      memory: { totalBytes: null, availableBytes: null },
      disks: [],
      listeners: null,
      gpuDevicesClosed: null,
      glibc: null,
      systemd: { linger: null, version: null, userManager: false },
    });
  });
});
