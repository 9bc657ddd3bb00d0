/**
 * No secret leaves its place, and the operator's ssh key none at all. A cluster with planted secrets comes up, is looked at by every command and goes down;
 * then everything that was said and written is searched for them, in every encoding that a program uses.
 */
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { canariesBelow, canariesIn, canaryPieces, formsOf, type Canaries } from './canary.ts';
import type { Host } from './host.ts';
import { Stage } from './stage.ts';

// A bring-up on two hosts.
jest.setTimeout(600_000);

const root = '/home/dgx/.local/share/windlass';

const apiKeyPieces = canaryPieces();
const hubTokenPieces = canaryPieces();
const apiKey = apiKeyPieces.join(`'"\\$&`);
const hubToken = `hf_${hubTokenPieces.join('')}`;

let stage: Stage;
let head: Host;
let wanted: Canaries;

/** Names of the secrets of which something stands in a text. */
const found = (text: string): string[] => canariesIn(wanted, text);
const grep = (...args: [Host, readonly string[], (readonly string[])?]): Promise<string[]> =>
  canariesBelow(wanted, ...args);

const everyHost = <T>(work: (host: Host) => Promise<T>): Promise<T[]> =>
  Promise.all(stage.lab.hosts.map(work));

const temporal = async (...args: string[]) => {
  const program = `${root}/workers/current/bin/temporal`;
  const { stdout } = await head.exec([program, ...args, '--namespace', 'windlass', '-o', 'json'], {
    maxBuffer: 2 ** 28,
  });
  return stdout;
};

/** Free text that a shell, systemd or Python would act on, if one of them ever got to read it as its own. */
const trace = '/tmp/windlass-was-here';
const hostile = `$(touch ${trace}) \`touch ${trace}\`; touch ${trace} & | '; touch ${trace}; '"; touch ${trace}; "\${HOME} $HOME %h {0}`;

/** What every command said, by its arguments. */
const said = new Map<string, string>();
async function windlass(...args: string[]): Promise<string> {
  const [verb = '', ...rest] = args;
  const file = join(stage.lab.operator, 'secrets.yaml');
  const result = await stage.windlass([verb, file, ...rest], { env: { CANARY_HUB_TOKEN: hubToken } });
  said.set(args.join(' '), `${result.stdout}\n${result.stderr}`);
  expect(result).toMatchObject({ exitCode: 0 });
  return result.stdout;
}

beforeAll(async () => {
  stage = await Stage.start({ name: 'secrets', only: ['spark-ea8e', 'spark-4080'] });
  head = stage.lab.host('spark-ea8e');
  const keyFile = join(stage.lab.operator, 'api-key');
  await writeFile(keyFile, `${apiKey}\n`, { mode: 0o600 });
  await writeFile(
    join(stage.lab.operator, 'secrets.yaml'),
    `schemaVersion: 1
name: secrets
head: spark-ea8e
nodes:
  - { name: spark-ea8e, address: 10.0.0.25, hardware: spark }
  - { name: spark-4080, address: 10.0.0.22, hardware: spark }
model: { id: windlass/tiny-llama, endpoint: http://10.0.0.1:8098 }
engine: { name: sglang, version: '0.5.21' }
parallel: { pipeline: 2 }
serving: { cudaGraphs: false, servedName: ${JSON.stringify(hostile)} }
environments:
  spark:
    python: '3.11'
    index: http://10.0.0.1:8099/sm120/simple
    variables: { FREE_TEXT: ${JSON.stringify(hostile)} }
ray: { objectStoreMegabytes: 100 }
secrets:
  apiKey: { fromFile: ${keyFile} }
  huggingFaceToken: { fromEnv: CANARY_HUB_TOKEN }
`,
  );
  await windlass('up', '--json');
  const rayToken = (await head.readFile(`${root}/secrets/rayToken`)).trim();
  expect(rayToken).toMatch(/^[0-9a-f]{64}$/);
  const sshKey = await readFile(join(stage.lab.operator, '.ssh/id_ed25519'), 'utf8');
  wanted = new Map([
    // Its middle lines: the first are the same in every key.
    ['sshKey', sshKey.split('\n').slice(3, 5).flatMap(formsOf)],
    ['apiKey', apiKeyPieces.flatMap(formsOf)],
    ['huggingFaceToken', hubTokenPieces.flatMap(formsOf)],
    ['rayToken', [rayToken.slice(0, 32), rayToken.slice(32)].flatMap(formsOf)],
  ]);
});
afterAll(async () => {
  await stage.stop();
});

test('the search finds a secret where it lies, in any encoding', async () => {
  for (const host of stage.lab.hosts) {
    const lies = await grep(host, [`${root}/secrets`]);
    const names = ['apiKey', 'huggingFaceToken', 'rayToken', ...(host === head ? ['engine.yaml'] : [])];
    expect(lies).toEqual(names.toSorted().map((name) => `${root}/secrets/${name}`));
  }
  for (const prefix of ['', 'a', 'ab']) {
    const text = prefix + apiKey;
    expect(found(Buffer.from(text).toString('base64'))).toEqual(['apiKey']);
    expect(found(Buffer.from(JSON.stringify({ text })).toString('base64url'))).toEqual(['apiKey']);
  }
  expect(found(JSON.stringify(JSON.stringify(apiKey)))).toEqual(['apiKey']);
  expect(found(apiKeyPieces[1])).toEqual(['apiKey']);
  expect(found(await readFile(join(stage.lab.operator, '.ssh/id_ed25519'), 'utf8'))).toEqual(['sshKey']);
});

test('its place is for its user only', async () => {
  const modes = await everyHost(async (host) => {
    const argv = ['find', `${root}/secrets`, '-printf', '%m %u %y\n'];
    return new Set((await host.exec(argv)).stdout.split('\n'));
  });
  expect(modes).toEqual(modes.map(() => new Set(['700 dgx d', '600 dgx f'])));
});

test('free text reaches the engine as it was written, and is obeyed nowhere', async () => {
  const environments = await everyHost(async (host) => {
    const ranks = (await host.processes()).filter(({ commandLine }) =>
      commandLine.join(' ').includes('ray::'),
    );
    return Promise.all(ranks.map(({ pid }) => readFile(`/proc/${String(pid)}/environ`, 'utf8')));
  });
  for (const ofHost of environments) {
    expect(ofHost.some((text) => text.split('\0').includes(`FREE_TEXT=${hostile}`))).toBe(true);
  }
  const probed = JSON.parse(await windlass('status', '--probe', '--json')) as { status: string };
  expect(probed.status).toBe('ready');
  const { stdout } = await head.exec([
    ...['curl', '-sS', '-H', `authorization: Bearer ${apiKey}`],
    'http://10.0.0.25:5000/v1/models',
  ]);
  expect((JSON.parse(stdout) as { data: { id: string }[] }).data.map(({ id }) => id)).toEqual([hostile]);
  const traces = await everyHost((host) => host.exec(['test', '-e', trace], { reject: false }));
  expect(traces.map(({ exitCode }) => exitCode)).toEqual([1, 1]);
  expect(existsSync(trace)).toBe(false);
});

describe('nothing of a secret is', () => {
  test('on a command line or in a unit while the cluster serves', async () => {
    const lines = await everyHost((host) => host.processes());
    expect(lines.flat().length).toBeGreaterThan(20);
    expect(lines.flat().filter(({ commandLine }) => found(commandLine.join('\0')).length > 0)).toEqual([]);
    const units = await everyHost((host) =>
      host.exec(['systemctl', '--user', 'show', '*', '--all'], { maxBuffer: 2 ** 26 }),
    );
    expect(units[0]?.stdout).toContain('windlass-engine-');
    expect(units.flatMap(({ stdout }) => found(stdout))).toEqual([]);
    const unitFiles = ['/run/user/1000', '/home/dgx/.config'];
    expect(await everyHost((host) => grep(host, unitFiles))).toEqual([[], []]);
  });

  test('in what any command says', async () => {
    const status = JSON.parse(await windlass('status', '--probe', '--json')) as { status: string };
    expect(status.status).toBe('ready');
    const [log] = await Promise.all([
      windlass('logs', '-n', '5000', '--json'),
      windlass('logs', '-n', '5000', '--unit', 'ray'),
      windlass('logs', '-n', '5000', '--unit', 'model'),
      windlass('render', '--json'),
      windlass('check', '--json'),
      windlass('plan', '--json'),
      windlass('plan'),
    ]);
    await windlass('down', '--json');
    // The engine did print its key: what is tested is that it was masked on its way to the disk.
    expect(log).toMatch(/server_args=.*api_key=\W*\*\*\*/);
    expect([...said].filter(([, text]) => found(text).length > 0).map(([command]) => command)).toEqual([]);
  });

  test('in a history', async () => {
    const runs = JSON.parse(await temporal('workflow', 'list')) as {
      execution: { workflowId: string; runId: string };
    }[];
    expect(runs.length).toBeGreaterThanOrEqual(3);
    const shown = await Promise.all(
      runs.map(({ execution: { workflowId, runId } }) =>
        temporal('workflow', 'show', '-w', workflowId, '-r', runId),
      ),
    );
    const payloads = shown.join('').matchAll(/"data": "([A-Za-z0-9+/=]+)"/g);
    const decoded = [...payloads].map(([, data = '']) => Buffer.from(data, 'base64').toString('latin1'));
    expect(decoded.some((payload) => payload.includes('"secrets":["huggingFaceToken","apiKey"]'))).toBe(true);
    expect(decoded.flatMap(found)).toEqual([]);
    expect(shown.flatMap(found)).toEqual([]);
  });

  test('in a file beyond that place: logs, ledgers, settings, the service’s database, caches', async () => {
    const folders = [root, '/home/dgx/.cache', '/tmp', '/var/tmp', '/dev/shm', '/var/log', '/etc'];
    const files = await everyHost((host) => grep(host, folders, ['--exclude-dir=secrets']));
    expect(files).toEqual([[], []]);
    // `--exclude-dir` leaves out any folder of that name; there is one.
    const named = await everyHost((host) => host.exec(['find', root, '-type', 'd', '-name', 'secrets']));
    expect(named.map(({ stdout }) => stdout)).toEqual([`${root}/secrets`, `${root}/secrets`]);
  });

  test('in a journal', async () => {
    const journals = await everyHost((host) =>
      host.exec(['journalctl', '--no-pager', '-a', '-o', 'json'], { user: 'root', maxBuffer: 2 ** 28 }),
    );
    expect(journals[0]?.stdout).toContain('windlass-node.service');
    expect(journals.flatMap(({ stdout }) => found(stdout))).toEqual([]);
  });
});
