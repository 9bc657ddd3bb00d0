import { expect, test } from '@jest/globals';
import { daemonDied, daemonsOf, lastWords } from '../../../activities/ray-daemons.ts';
import type { UnitMember } from '../../../src/process/units.ts';
import { machine } from './in-activity.ts';

const member = (pid: number, command: string, startTicks = pid): UnitMember => ({
  pid,
  startTicks,
  cpuTicks: 0,
  name: 'x',
  command,
});
const raylet =
  '/x/ray/core/src/ray/raylet/raylet --raylet_socket_name=/x/s/raylet --gcs_address=10.0.0.1:6379';
const gcs = '/x/ray/core/src/ray/gcs/gcs_server --log_dir=/x/logs';
const rank = 'ray::SchedulerActor.run_event_loop';

test('of the processes of a Ray unit the raylet and the GCS are its daemons, not what they fork', () => {
  const members = [member(50, raylet), member(20, raylet), member(10, gcs), member(30, rank)];
  expect(daemonsOf(members).map(({ pid }) => pid)).toEqual([20, 10]);
  // Pids begin anew after a while; what was started first is the oldest all the same.
  expect(daemonsOf([member(9, raylet, 700), member(20, raylet, 600)]).map(({ pid }) => pid)).toEqual([20]);
  expect(daemonsOf([member(30, rank)])).toEqual([]);
});

test.each([
  ['raylet', [member(10, gcs), member(30, rank)]],
  ['raylet', []],
  ['GCS', [member(5, '/x/bin/ray start --block --head --port=6379'), member(20, raylet), member(30, rank)]],
])('that the %s has ended is told by name', async (title, left) => {
  const error = await daemonDied(machine('/nowhere'), left);
  expect(error).toMatchObject({ code: 'RAY_FAILED' });
  expect(error?.message).toContain(`the ${title} has ended: it left no log`);
});

test('nothing is told of a Ray that is whole, on a worker node without a GCS', async () => {
  expect(await daemonDied(machine('/nowhere'), [member(20, raylet)])).toBeNull();
  expect(
    await daemonDied(machine('/nowhere'), [
      member(5, 'ray start --head'),
      member(10, gcs),
      member(20, raylet),
    ]),
  ).toBeNull();
});

const stack = '/opt/ray/raylet(+0xeed5e0) [0x7f39a754d5e0]\n'.repeat(40);

test('a raylet that gave a reason is quoted with it, and not with the stack below', () => {
  const reason =
    '[2026-11-28 09:21:00,000 C 2453 2453] (raylet) node_manager.cc:3588: Timed out waiting for file x';
  const log = `[2026-11-28 09:20:44,505 I 2453 2453] (raylet) grpc_server.cc:144: started\n${reason}\n${stack}`;
  expect(lastWords(log)).toBe(reason);
  expect(lastWords(`${reason}${'x'.repeat(2_000)}\n`)).toHaveLength(800);
});

test('of a raylet that was killed, the end of its log is shown', () => {
  const log = '[2026-11-28 09:20:44,505 I 2453 2453] (raylet) grpc_server.cc:144: started';
  expect(lastWords(log)).toBe(log);
  expect(lastWords(stack)).toBe(stack.slice(-800));
});
