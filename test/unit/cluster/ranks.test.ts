import { expect, test } from '@jest/globals';
import { isRank } from '../../../src/cluster/ranks.ts';

test.each([
  ['ray::SchedulerActor.run_event_loop', true],
  ['ray::RayWorkerProc.run', true],
  ['ray::SchedulerA', true],
  ['ray::IDLE', false],
  ['ray::DashboardAgent', false],
  ['ray::DashboardA', false],
  ['ray::RuntimeEnvAgent', false],
  ['ray::RuntimeEnv', false],
  ['raylet', false],
  ['/opt/ray/raylet --raylet_socket_name=x', false],
])('a process titled %s is a rank: %s', (title, expected) => {
  expect(isRank(title)).toBe(expected);
});
