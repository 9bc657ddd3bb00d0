import { expect, test } from '@jest/globals';
import { lastWords } from '../../../activities/ray.ts';

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
