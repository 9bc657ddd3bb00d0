/** The main job on real hosts: from nothing to an answer through all nodes, again without a change, and down to nothing. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { KeeperStatus } from '../../src/cluster/keeper.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import { compareLog } from '../standin/compare-log.ts';
import { startKinds } from '../standin/log-kinds.ts';
import type { Host } from './host.ts';
import { readLedger, timesBegun, unitPids } from './ledger.ts';
import { readPortTable, unlistedSockets } from './listening.ts';
import type { Snapshot } from './snapshot.ts';
import { quietSnapshots, wakePolkit, withoutCache } from './quiet.ts';
import { until } from './run.ts';
import { Stage, repository } from './stage.ts';

const file = 'examples/lab.yaml';
const root = '/home/dgx/.local/share/windlass';
// A bring-up on four hosts of this one machine; the slowest takes minutes.
jest.setTimeout(900_000);

let stage: Stage;
let before: Snapshot[];
let report: BringUpReport;

/** Ask the API as a client in the cluster's network would. */
async function ask(prompt: string): Promise<string> {
  const body = {
    model: 'windlass/tiny-llama',
    max_tokens: 12,
    messages: [{ role: 'user', content: prompt }],
  };
  const { stdout } = await stage.lab.exec('curl', [
    ...['-sS', '--max-time', '30', '-H', 'content-type: application/json', '-d', JSON.stringify(body)],
    'http://10.0.0.25:5000/v1/chat/completions',
  ]);
  const answer = JSON.parse(String(stdout)) as { choices: { message: { content: string } }[] };
  return answer.choices[0]?.message.content ?? '';
}

interface Status {
  readonly status: string;
  readonly keeper: KeeperStatus | null;
}
const statusOf = async (path: string): Promise<Status> =>
  JSON.parse((await stage.windlass(['status', path, '--json'])).stdout) as Status;

/** The process that holds the rank of a host. */
async function rankOf(host: Host) {
  const rank = (await host.processes()).find(({ commandLine }) =>
    commandLine.join(' ').includes('ray::SchedulerActor'),
  );
  if (!rank) throw new Error(`no rank runs on ${host.name}`);
  return rank;
}

async function begunAnywhere(): Promise<number> {
  const ledgers = await Promise.all(stage.lab.hosts.map((host) => readLedger(host)));
  return ledgers.flat().filter((line) => line.what === 'began').length;
}

/** Run the real `temporal` of the head, as its user. */
async function temporal(args: readonly string[]) {
  const head = stage.lab.host('spark-ea8e');
  return head.exec([`${root}/workers/current/bin/temporal`, ...args, '--namespace', 'windlass'], {
    user: 'dgx',
    reject: false,
  });
}

/** How often each host has begun its part of a gang. */
const partsBegun = () =>
  Promise.all(
    stage.lab.hosts.map((host) =>
      timesBegun(host, host.name === 'spark-ea8e' ? 'start head' : 'join workers'),
    ),
  );

/** The last run has started the gang anew once, as one. What the run says of itself stands beside it, should it not be. */
async function expectOneGangStarted(earlier: readonly number[]): Promise<void> {
  const starts = (await partsBegun()).map((count, at) => count - (earlier[at] ?? 0));
  const query = ['workflow', 'query', '-w', 'cluster/lab', '--type', 'status', '-o', 'json'];
  const { stdout } = await temporal(query);
  expect({ starts, stdout }).toEqual({
    starts: stage.lab.hosts.map(() => 1),
    stdout: expect.stringContaining('"rows"'),
  });
}

/** `ray start` itself would wait for it two minutes and a half; the gang is to be started again long before. */
async function endRayletWhileItStarts(host: Host): Promise<void> {
  const raylet = await until(
    'a raylet starts',
    async () =>
      (await host.processes()).find(({ commandLine }) => commandLine[0]?.endsWith('/raylet') === true),
    { seconds: 300, everyMs: 50 },
  );
  process.kill(raylet.pid, 'SIGSTOP');
  await sleep(1_500); // It hangs for so long, and is seen meanwhile.
  process.kill(raylet.pid, 'SIGKILL');
}

beforeAll(async () => {
  stage = await Stage.start({ name: 'bringup' });
  await wakePolkit(stage.lab.hosts);
  before = await quietSnapshots(stage.lab.hosts);
});
afterAll(async () => {
  await stage.stop();
});

describe('a cluster of four hosts', () => {
  test('comes up from nothing, and answers through all ranks', async () => {
    const first = stage.start(['up', file, '--json']);
    await until('a node is changed', async () => (await begunAnywhere()) > 0, { seconds: 120 });
    // Ctrl-C lets go of the run, which goes on, and the second `up` joins it.
    first.kill('SIGINT');
    const left = await first;
    expect({ exitCode: left.exitCode, stderr: left.stderr }).toEqual({ exitCode: 130, stderr: '' });
    expect(JSON.parse(String(left.stdout))).toEqual({ ok: true, detached: true, workflow: 'cluster/lab' });
    const second = stage.start(['up', file, '--json']);
    await endRayletWhileItStarts(stage.lab.host('thorx'));
    const result = await second;
    expect(result).toMatchObject({ exitCode: 0 });
    report = JSON.parse(String(result.stdout)) as BringUpReport;
    expect(await timesBegun(stage.lab.host('thorx'), 'join workers')).toBe(2);
    expect(report.changes).toBeGreaterThan(15);
    expect(report.answer.text.trim()).not.toBe('');
    expect(report.nodes.map(({ ranks }) => ranks)).toEqual([1, 1, 1, 1]);
    for (const host of stage.lab.hosts) {
      expect(await timesBegun(host, 'install wheels')).toBe(1);
      const names = (await host.processes()).map((found) => found.commandLine.join(' '));
      expect(names.some((name) => name.includes('ray::SchedulerActor'))).toBe(true);
    }
  });

  test('gives an answer that depends on the prompt, and the same one again', async () => {
    const [first, again, other] = [
      await ask('Name a wind.'),
      await ask('Name a wind.'),
      await ask('Name a harbour.'),
    ];
    expect(again).toBe(first);
    expect(other).not.toBe(first);
  });

  test('writes the kinds of lines that the real engine writes, in its order', async () => {
    const log = await stage.lab
      .host('spark-ea8e')
      .exec(['sh', '-c', `cat ${root}/runs/windlass-engine-*/log`], { user: 'dgx' });
    expect(compareLog(log.stdout, startKinds)).toEqual([]);
  });

  test('is left alone by a second up: no change, the same processes, at most 12 events a node', async () => {
    const pids = await Promise.all(stage.lab.hosts.map(unitPids));
    const result = await stage.windlass(['up', file, '--json']);
    const second = JSON.parse(result.stdout) as BringUpReport;
    expect({ exitCode: result.exitCode, changes: second.changes }).toEqual({ exitCode: 0, changes: 0 });
    expect(await Promise.all(stage.lab.hosts.map(unitPids))).toEqual(pids);
    const history = await temporal(['workflow', 'show', '-w', 'cluster/lab', '-o', 'json']);
    const { events } = JSON.parse(history.stdout) as { events: unknown[] };
    expect(events.length).toBeLessThanOrEqual(48);
  });

  test('says what is true: status, status --probe, logs, home', async () => {
    const status = JSON.parse((await stage.windlass(['status', file, '--probe', '--json'])).stdout) as {
      status: string;
    };
    expect(status.status).toBe('ready');
    expect((await stage.windlass(['logs', file, '-n', '5'])).stdout).toContain('POST /v1/chat/completions');
    expect((await stage.windlass(['home', file])).stdout).toMatch(/temporal\s+active/);
  });

  test('is checked and planned for although nobody can write on any host', async () => {
    const places = ['/home/dgx', '/tmp', '/var/tmp', '/dev/shm'];
    const onEach = (script: string) =>
      Promise.all(
        stage.lab.hosts.map((host) => host.exec(['sh', '-ec', script, 'sh', ...places], { user: 'root' })),
      );
    await onEach('for place; do mount --bind "$place" "$place"; mount -o remount,bind,ro "$place"; done');
    try {
      const [host] = stage.lab.hosts;
      const tried = await host?.exec(['touch', '/home/dgx/x'], { reject: false });
      expect(tried?.stderr).toContain('Read-only file system');
      expect((await stage.windlass(['plan', file])).stdout).toContain('Nothing would change.');
      expect(await stage.windlass(['check', file])).toMatchObject({ exitCode: 0 });
    } finally {
      // Lazily: a shell that sshd is still ending, or a worker that looks at a log, keeps a plain umount busy.
      await onEach('for place; do umount --lazy "$place"; done');
    }
  });

  test('listens for others on nothing that the README does not list', async () => {
    expect(await readPortTable()).toHaveLength(7);
    for (const host of stage.lab.hosts) {
      const isHead = host.name === 'spark-ea8e';
      expect({
        host: host.name,
        unlisted: await unlistedSockets(host, isHead, isHead ? '10.0.0.25' : ''),
      }).toEqual({ host: host.name, unlisted: [] });
    }
  });

  test('can be started by `temporal workflow start`, under any id', async () => {
    const spec = (await stage.windlass(['render', file, '--json'])).stdout;
    await stage.lab.host('spark-ea8e').writeFile('/tmp/spec.json', spec);
    const started = await temporal([
      'workflow',
      'execute',
      '--type',
      'bringUpCluster',
      '-t',
      'windlass',
      '-w',
      'by-hand',
      '--input-file',
      '/tmp/spec.json',
      '-o',
      'json',
    ]);
    const { status, result } = JSON.parse(started.stdout) as { status: string; result: BringUpReport };
    expect(status).toBe('COMPLETED');
    expect(result).toMatchObject({ cluster: 'lab', changes: 0 });
    await stage.lab.host('spark-ea8e').exec(['rm', '/tmp/spec.json'], { user: 'dgx' });
  });

  test('fails at once on a wrong object, naming the path', async () => {
    const wrong = await temporal([
      'workflow',
      'execute',
      '--type',
      'bringUpCluster',
      '-t',
      'windlass',
      '-w',
      'wrong',
      '--input',
      '{"schemaVersion":1,"name":"lab","parallel":{"pipeline":"four"}}',
      '-o',
      'json',
    ]);
    const { status } = JSON.parse(wrong.stdout) as { status: string };
    expect(status).toBe('FAILED');
    expect(wrong.stdout).toContain('parallel.pipeline');
    const described = await temporal(['workflow', 'describe', '-w', 'wrong', '-o', 'json']);
    const { workflowExecutionInfo: info } = JSON.parse(described.stdout) as {
      workflowExecutionInfo: { startTime: string; closeTime: string };
    };
    expect(Date.parse(info.closeTime) - Date.parse(info.startTime)).toBeLessThan(3_000);
  });

  test('refuses a model whose weights can run code, before any of it is fetched, and goes on serving', async () => {
    const pids = await Promise.all(stage.lab.hosts.map(unitPids));
    const text = await readFile(join(repository, file), 'utf8');
    const pickled = join(stage.lab.operator, 'pickled.yaml');
    await writeFile(pickled, text.replace('id: windlass/tiny-llama', '$&\n  revision: pickled'));
    const result = await stage.windlass(['up', pickled, '--json']);
    expect(result.exitCode).toBe(1);
    expect(JSON.parse(result.stdout)).toMatchObject({
      errors: [{ code: 'MODEL_PICKLED', step: 'stage model' }],
    });
    expect(result.stdout).toContain('pytorch_model.bin');
    const { stdout } = await stage.lab
      .host('spark-ea8e')
      .exec(['sh', '-c', 'find /home/dgx/.cache/huggingface -name "*.bin"']);
    expect(stdout).toBe('');
    expect(await Promise.all(stage.lab.hosts.map(unitPids))).toEqual(pids);
  });

  test('whose rank has died is started again as one by the next up', async () => {
    const rank = await rankOf(stage.lab.host('jetson-thor'));
    const begun = await partsBegun();
    process.kill(rank.pid, 'SIGKILL');
    const result = await stage.windlass(['up', file, '--json']);
    expect(result).toMatchObject({ exitCode: 0 });
    const again = JSON.parse(result.stdout) as BringUpReport;
    expect(again.nodes.map(({ ranks }) => ranks)).toEqual([1, 1, 1, 1]);
    expect(again.answer.text).toBe(report.answer.text);
    await expectOneGangStarted(begun);
    expect(await timesBegun(stage.lab.host('jetson-thor'), 'install wheels')).toBe(1);
  });

  test('with a keeper is started again as one when a rank dies, with no command', async () => {
    const kept = join(stage.lab.operator, 'kept.yaml');
    const text = await readFile(join(repository, file), 'utf8');
    await writeFile(kept, text.replace('enabled: false', 'enabled: true'));
    const up = JSON.parse((await stage.windlass(['up', kept, '--json'])).stdout) as BringUpReport;
    expect(up).toMatchObject({ changes: 0, keeper: 'keeper/lab' });
    expect((await statusOf(kept)).keeper).toMatchObject({ state: 'watches', last: null });
    const begun = await partsBegun();
    const rank = await rankOf(stage.lab.host('jetson-thor'));
    const diedAt = Date.now();
    process.kill(rank.pid, 'SIGKILL');
    const { last } = await until(
      'the keeper has brought it back',
      async () => {
        const { keeper } = await statusOf(kept);
        return keeper?.state === 'watches' && typeof keeper.last?.servesAt === 'number' ? keeper : undefined;
      },
      { seconds: 300, everyMs: 500 },
    );
    expect(last?.what).toContain('jetson-thor · watch rank: 0 of 1 ranks run');
    // How soon is a benchmark's question; that the watch saw it, and not the time-out of a heartbeat, stands above.
    expect(last?.lostAt ?? 0).toBeGreaterThanOrEqual(diedAt);
    await expectOneGangStarted(begun);
    expect(await ask('Name a wind.')).not.toBe('');
    expect((await statusOf(kept)).status).toBe('ready');
  });

  test('goes down: nothing of the gang runs, and a second down finds nothing', async () => {
    const first = await stage.windlass(['down', file, '--json']);
    expect(first.exitCode).toBe(0);
    expect((await statusOf(file)).keeper).toBeNull();
    for (const host of stage.lab.hosts) {
      const units = Object.keys(await unitPids(host));
      expect(units.filter((unit) => /ray|engine/.test(unit))).toEqual([]);
    }
    const again = JSON.parse((await stage.windlass(['down', file, '--json'])).stdout) as {
      stopped: { what: string }[];
    };
    expect(again.stopped.map((each) => each.what)).toEqual(Array(4).fill('nothing was running'));
  });

  test('with the Spark index for the Thors it fails at verify torch arch, on exactly the Thors, and no Ray starts', async () => {
    const text = await readFile(join(repository, file), 'utf8');
    const swapped = join(stage.lab.operator, 'swapped.yaml');
    await writeFile(swapped, text.replace('/sm110/simple', '/sm120/simple'));
    const begun = await Promise.all(stage.lab.hosts.map(async (host) => (await readLedger(host)).length));
    const result = await stage.windlass(['up', swapped, '--json']);
    expect(result.exitCode).toBe(1);
    const { errors } = JSON.parse(result.stdout) as {
      errors: { code: string; node: string; step: string; message: string }[];
    };
    expect(
      errors
        .map(({ code, node, step }) => ({ code, node, step }))
        .toSorted((a, b) => (a.node < b.node ? -1 : 1)),
    ).toEqual([
      { code: 'ARCH_MISMATCH', node: 'jetson-thor', step: 'verify torch arch' },
      { code: 'ARCH_MISMATCH', node: 'thorx', step: 'verify torch arch' },
    ]);
    expect(errors[0]?.message).toContain('no kernel image is available for execution on the device');
    for (const [at, host] of stage.lab.hosts.entries()) {
      const since = (await readLedger(host)).slice(begun[at]);
      expect(since.filter((line) => /head|workers|server/.test(line.step))).toEqual([]);
    }
  });

  test('purged, every host is as it was, the model cache aside', async () => {
    const result = await stage.windlass(['down', file, '--purge', '--json']);
    expect(result.exitCode).toBe(0);
    const after = await quietSnapshots(stage.lab.hosts);
    expect(after.map(withoutCache)).toEqual(before.map(withoutCache));
  });
});
