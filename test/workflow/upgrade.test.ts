/** Upgrades of the control worker: a run that is under way goes on, with the new one or else with the old one. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { status } from '../../src/commands/status.ts';
import { clusterWorkflowId, keeperWorkflowId } from '../../src/cluster/names.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import { keptBy } from '../../src/temporal/kept.ts';
import { answerRun } from '../../src/temporal/answers.ts';
import { cancelRun, startRun } from '../../src/temporal/runs.ts';
import type { Hold } from '../support/node-faults.ts';
import { openRuns } from '../../workers/open-runs.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import type { SshdInProcess } from '../support/sshd-in-process.ts';
import { newKey, startSshdInProcess } from '../support/sshd-in-process.ts';
import { sharedAddress, startTemporal } from '../support/temporal.ts';
import { facts, listener } from '../unit/checks/cluster.ts';
import { captured } from '../unit/output/captured.ts';
import { PlacedHome, releases } from './placed-home.ts';
import type { Handle } from './service.ts';
import { eventsOf, Service, until } from './service.ts';
import { writeClusterFile } from './typed-file.ts';

jest.setTimeout(90_000);

const [older, newer, changed] = ['0.1.0-00000000000a', '0.1.0-00000000000b', '0.2.0-00000000000c'];

let home: PlacedHome;
let code: Awaited<ReturnType<typeof releases>>;
let service: Service;
let sshd: SshdInProcess;
let cluster: ScriptedCluster;
let file: string;
let clusters = 0;

beforeAll(async () => {
  [home, code] = await Promise.all([PlacedHome.build(), releases()]);
});

afterAll(() => home.destroy());

beforeEach(() => open(sharedAddress()));
afterEach(close);

/** A home with the older version, which runs, and a cluster whose keeper is on. */
async function open(address: string): Promise<void> {
  const hostKey = newKey();
  [service, sshd] = await Promise.all([
    Service.open({ address, withControl: false }),
    startSshdInProcess({ hostKeys: [hostKey] }),
  ]);
  cluster = new ScriptedCluster(seedSpec(`upgraded-${(clusters += 1)}`, { keeper: { enabled: true } }));
  const api = listener({
    port: 5000,
    address: '10.0.0.25',
    unit: 'windlass-engine-0000000000000000.service',
  });
  cluster.head.facts = { ...cluster.head.facts, listeners: [...(facts().listeners ?? []), api] };
  await service.serve(cluster);
  const temporal = { address, namespace: service.client.options.namespace };
  file = await writeClusterFile(sshd, hostKey, cluster.spec, temporal);
  await home.empty(temporal);
  await home.place(older, code.older);
  home.start();
}

async function close(): Promise<void> {
  await home.stop();
  await service.stop();
  await sshd.stop();
}

/** A run in the middle of an act that lasts, seen by the service’s list of runs. */
async function underWay(): Promise<{ handle: Handle; act: Hold }> {
  const act = cluster.faults.hold({ activity: 'launchServer' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  await act.reached;
  const query = `WorkflowId = '${handle.workflowId}'`;
  await until('it is listed', async () => (await service.client.workflow.count(query)).count > 0);
  return { handle, act };
}

/** Returns what the control worker before had logged. */
async function upgrade(version: string, bundle: string): Promise<string> {
  const log = await home.stop();
  await home.place(version, bundle);
  home.start();
  return log;
}

const versionOf = async (workflowId: string) =>
  keptBy(await service.client.workflow.getHandle(workflowId).describe());

async function shown({ json = false } = {}) {
  const { output, out } = captured({ json });
  const { signal } = new AbortController();
  const context = { output, env: process.env, cacheDir: sshd.folder, signal, isInteractive: false };
  return { exitCode: await status(file, {}, context), out: out() };
}

/** Timers of a millisecond, with one of which the changed release begins. */
const timersOf = async (handle: Handle) =>
  (await eventsOf(handle)).filter(
    ({ timerStartedEventAttributes: timer }) => timer?.startToFireTimeout?.nanos === 1_000_000,
  ).length;

describe('a run under way', () => {
  it('goes on with a version that replays it, as if nothing had happened', async () => {
    const { handle, act } = await underWay();
    const { workflowId } = handle;
    const found = await openRuns(service.client);
    expect(found).toContainEqual(expect.objectContaining({ workflowId, keptBy: null, lastBy: older }));
    await upgrade(newer, code.newer);
    const joined = await startRun(service.client, 'bringUpCluster', cluster.spec);
    expect(joined).toMatchObject({ isNew: false, keptBy: null });
    act.release();
    await handle.result();
    expect((await handle.describe()).raw.workflowExecutionInfo?.versioningInfo ?? null).toBeNull();
    expect(await home.stop()).toBe('');
  });

  it('is not replayed before a worker of the version that went on with it last polls again', async () => {
    const { handle, act } = await underWay();
    // The same version with other code is no upgrade; it tells whether anybody looked.
    await upgrade(older, code.changed);
    expect((await shown()).out).toMatch(/: stuck\n/);
    expect(await upgrade(older, code.older)).not.toContain('cannot replay');
    act.release();
    expect(await handle.result()).toMatchObject({ cluster: cluster.spec.name });
  });

  it('goes on with the version that can, while new ones run on the one placed', async () => {
    const { handle, act } = await underWay();
    await upgrade(changed, code.changed);
    const joined = await startRun(service.client, 'bringUpCluster', cluster.spec);
    expect(joined).toMatchObject({ isNew: false, keptBy: older });
    const { exitCode, out } = await shown();
    expect(exitCode).toBe(0);
    expect(out).toMatch(/: starting\n/);
    expect(out).toContain(
      `this run goes on with windlass ${older}, since the one placed now cannot replay it`,
    );
    expect(JSON.parse((await shown({ json: true })).out)).toMatchObject({
      status: 'starting',
      run: { keptBy: older, stuck: null, board: { cluster: cluster.spec.name } },
    });

    const other = new ScriptedCluster(seedSpec(`${cluster.spec.name}-new`));
    await service.serve(other);
    const fresh = await service.start('bringUpCluster', other.spec);
    await fresh.result();
    expect([await timersOf(fresh), await versionOf(fresh.workflowId)]).toEqual([1, null]);

    act.release();
    const report = (await handle.result()) as BringUpReport;
    expect([report.keeper, await timersOf(handle)]).toEqual([keeperWorkflowId(cluster.spec.name), 0]);
    // Who starts it keeps it, until a control worker starts that can replay it.
    expect(await versionOf(report.keeper ?? '')).toBe(older);
    expect((await shown()).out).toContain(`\n  the keeper goes on with windlass ${older}, since `);
    expect(await upgrade(changed, code.changed)).toContain(`they go on with ${older}`);
    await until('the keeper is released', async () => (await versionOf(report.keeper ?? '')) === null);
    expect((await shown()).out).toMatch(/ {2}keeper +watches, .*\n$/);
  });

  it('stands still where no version is left that can, says so, and goes on with the old one again', async () => {
    const { handle, act } = await underWay();
    await home.stop();
    await home.remove(older);
    await home.place(changed, code.changed);
    home.start();
    const looksStuck = async () => {
      const { exitCode, out } = await shown();
      expect(exitCode).toBe(5);
      expect(out).toMatch(/^upgraded-\d+: stuck\n/);
      expect(out).toMatch(
        /stands still: no windlass placed at its home goes on with it \(Nondeterminism error: /,
      );
    };
    // Nothing has failed yet: the run waits for its act, and only a question meets the other code.
    await looksStuck();
    act.release();
    await until('the service knows', async () => {
      const { out } = await shown({ json: true });
      return (JSON.parse(out) as { run: { stuck: { since: number | null } } }).run.stuck.since !== null;
    });
    await looksStuck();
    const refused = { code: 'RUN_STUCK', exitCode: 5 };
    await expect(startRun(service.client, 'bringUpCluster', cluster.spec)).rejects.toMatchObject(refused);
    await expect(answerRun(service.client, cluster.spec.name, 'retry')).rejects.toMatchObject(refused);
    const id = clusterWorkflowId(cluster.spec.name);
    await expect(cancelRun(service.client, id, () => undefined)).rejects.toMatchObject(refused);

    const log = await upgrade(older, code.older);
    expect(log).toContain(`cannot replay ${id}, and no version kept here goes on`);
    expect(await handle.result()).toMatchObject({ cluster: cluster.spec.name });
  });
});

it('starts where the service knows no versions of workers, and says what that means', async () => {
  await close();
  const server = await startTemporal({ dynamicConfig: ['system.enableDeploymentVersions=false'] });
  try {
    await open(server.address);
    const { handle, act } = await underWay();
    await upgrade(changed, code.changed);
    const other = new ScriptedCluster(seedSpec('beside'));
    await service.serve(other);
    await (await service.start('bringUpCluster', other.spec)).result();
    expect(await shown()).toMatchObject({ exitCode: 5, out: expect.stringMatching(/: stuck\n/) });
    const log = await home.stop();
    expect(log).toContain(`windlass ${older} cannot be kept beside this one`);
    expect(log).toMatch(/Worker Deployment Versions are disabled/);
    act.release();
    await handle.terminate();
  } finally {
    await close();
    await server.stop();
    await open(sharedAddress());
  }
});
