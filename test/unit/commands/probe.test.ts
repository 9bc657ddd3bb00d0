import { expect, test } from '@jest/globals';
import { probe } from '../../../src/commands/probe.ts';
import { fail } from '../../../src/errors.ts';

test('a port on which nobody listens is said to be refused, at once', async () => {
  const reason = 'through head: Connection refused';
  const refused = fail('SSH_UNREACHABLE', { host: '10.0.0.25', port: 5000, reason });
  const head = { openTunnel: () => Promise.reject(refused) };
  const startedAt = Date.now();
  const result = await probe(head, { address: '10.0.0.25', port: 5000, servedName: 'm', key: null });
  expect({ ok: result.ok, text: result.text }).toEqual({ ok: false, text: `no answer: ${refused.message}` });
  expect(Date.now() - startedAt).toBeLessThan(5_000);
});
