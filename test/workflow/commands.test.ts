/** The commands for a run that waits, as typed: through ssh to the head and the forward to the service there. */
import { afterEach, beforeEach, expect, it, jest } from '@jest/globals';
import { answer } from '../../src/commands/answer.ts';
import { cancel } from '../../src/commands/cancel.ts';
import type { CommandContext } from '../../src/commands/context.ts';
import { status } from '../../src/commands/status.ts';
import { ScriptedCluster, seedSpec } from '../support/nodes.ts';
import type { BringUpReport } from '../../src/cluster/report.ts';
import type { SshdInProcess } from '../support/sshd-in-process.ts';
import { newKey, startSshdInProcess } from '../support/sshd-in-process.ts';
import { sharedAddress } from '../support/temporal.ts';
import { facts } from '../unit/checks/cluster.ts';
import { captured } from '../unit/output/captured.ts';
import { boardOf, Service, until } from './service.ts';
import { writeClusterFile } from './typed-file.ts';

jest.setTimeout(60_000);

let service: Service;
let sshd: SshdInProcess;
let cluster: ScriptedCluster;
let file: string;

beforeEach(async () => {
  const hostKey = newKey();
  service = await Service.open();
  sshd = await startSshdInProcess({ hostKeys: [hostKey] });
  cluster = new ScriptedCluster(seedSpec('typed'));
  await service.serve(cluster);
  const { namespace } = service.client.options;
  file = await writeClusterFile(sshd, hostKey, cluster.spec, { address: sharedAddress(), namespace });
});

afterEach(async () => {
  await service.stop();
  await sshd.stop();
});

/** A command's exit code, and what it printed. */
async function typed(command: (context: CommandContext) => Promise<number>) {
  const { output, out } = captured();
  const { signal } = new AbortController();
  const context = { output, env: process.env, cacheDir: sshd.folder, signal, isInteractive: false };
  return { exitCode: await command(context), out: out() };
}
const shown = () => typed((context) => status(file, {}, context));
const answered = (kind: 'retry' | 'approve', node?: string) =>
  typed((context) => answer(kind, file, node, context));
const cancelled = () => typed((context) => cancel(file, context));

it('show what is waited for, answer it, and refuse an answer that nobody would hear', async () => {
  await expect(answered('retry')).rejects.toMatchObject({ code: 'NOTHING_WAITS' });
  await expect(cancelled()).rejects.toMatchObject({ code: 'NOTHING_RUNS' });

  const thorx = cluster.node('thorx');
  thorx.facts = { ...thorx.facts, disks: facts().disks.map((disk) => ({ ...disk, freeBytes: 4e9 })) };
  cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, { port: 6380, by: 'nc' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  const waitsFor = (what: RegExp) =>
    until(`it waits for ${what.source}`, async () =>
      what.test((await boardOf(handle)).waitingFor?.what ?? ''),
    );

  await waitsFor(/disk-environment/);
  const waiting = await shown();
  expect(waiting.exitCode).toBe(5);
  expect(waiting.out).toMatch(/^typed: waiting\n/);
  expect(waiting.out).toMatch(/\n {2}waits for a person since 2\d{3}-/);
  expect(waiting.out).toMatch(/\n {4}thorx · check disk-environment: .* has 3\.7 GiB free/);
  expect(waiting.out).toContain('windlass approve FILE thorx: install with the space that there is');

  await expect(answered('retry', 'spark-4080')).rejects.toMatchObject({ code: 'NOTHING_WAITS' });
  expect(await answered('approve', 'thorx')).toEqual({
    exitCode: 0,
    out: expect.stringContaining('it will install with the space that there is'),
  });
  await waitsFor(/TCP 6380/);
  await expect(answered('approve')).rejects.toMatchObject({ code: 'NOT_APPROVABLE', exitCode: 1 });
  expect(await answered('retry')).toEqual({
    exitCode: 0,
    out: 'typed: asked to look again now at\n  thorx · join workers: TCP 6380 is held by nc, which windlass did not start (PORT_TAKEN)\n',
  });
  await handle.result();
  expect(await shown()).toMatchObject({ exitCode: 0, out: expect.stringMatching(/^typed: ready\n/) });
});

it('show the keeper, what it has lost, and that its circuit is open, which a retry closes', async () => {
  const spec = { ...cluster.spec, keeper: { enabled: true } };
  const report = (await (await service.start('bringUpCluster', spec)).result()) as BringUpReport;
  expect(report.keeper).toBe('keeper/typed');
  const showing = async (what: RegExp) => {
    let last = { exitCode: -1, out: '' };
    await until(`it shows ${what.source}`, async () => what.test((last = await shown()).out));
    return last;
  };
  expect(await showing(/\n {2}keeper +watches, since /)).toMatchObject({ exitCode: 0 });
  cluster.faults.fail({ activity: 'confirmReady' }, 'ENGINE_EXITED', 3, { phase: 'loading weights' });
  await until('all ranks are watched', () => cluster.callsOf('watchRank').length === 4);
  cluster.node('thorx').rankLives = false;

  const open = await showing(/keeper +circuit open/);
  expect(open.exitCode).toBe(5);
  expect(open.out).toMatch(/^typed: waiting\n/);
  expect(open.out).toMatch(/\n {2}lost +\S+ ago, not serving yet: thorx · watch rank: /);
  expect(open.out).toContain('the keeper starts the gang no more: its repair failed: ');
  expect(open.out).toContain('windlass retry FILE: start the gang again now');
  expect((await answered('retry')).out).toMatch(/^typed: asked to look again now at\n/);
  const again = await showing(/keeper +watches/);
  expect(again.out).toMatch(/lost +\S+ ago, serving again after /);
});

it('cancel a run, and return when what it had started is stopped', async () => {
  cluster.faults.fail({ activity: 'ensureRay', node: 'thorx' }, 'PORT_TAKEN', 1, { port: 6380, by: 'nc' });
  const handle = await service.start('bringUpCluster', cluster.spec);
  await until('it waits', async () => (await boardOf(handle)).waitingFor !== null);
  expect(await cancelled()).toEqual({ exitCode: 0, out: expect.stringMatching(/has ended/) });
  expect((await handle.describe()).status.name).toBe('CANCELLED');
  expect(cluster.nodes.flatMap(({ units }) => [...units])).toEqual([]);
  await expect(cancelled()).rejects.toMatchObject({ code: 'NOTHING_RUNS' });
});

it('cancel says what is left of a tear-down, and what kept a run from stopping all', async () => {
  const stop = cluster.faults.hold({ activity: 'stopGangUnits', node: 'thorx' });
  await service.start('tearDownCluster', cluster.spec);
  await stop.reached;
  expect((await cancelled()).out).toContain('what it had not stopped yet goes on');

  const launch = cluster.faults.hold({ activity: 'launchServer' });
  cluster.faults.fail({ activity: 'stopGangUnits', node: 'thorx' }, 'STOP_FAILED', 9, { what: 'x' });
  await service.start('bringUpCluster', cluster.spec);
  await launch.reached;
  await expect(cancelled()).rejects.toMatchObject({ code: 'STOP_FAILED', node: 'thorx' });
});
