/** A node may still be booting: what time can mend is tried again, and nothing else, and not for ever. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { connectWithRetry } from '../../../src/ssh/retry.ts';
import { freePort, plainTarget } from '../../support/sshd.ts';
import { type SshdInProcess, newKey, startSshdInProcess, startTcp } from '../../support/sshd-in-process.ts';

const started: Promise<SshdInProcess>[] = [];
afterEach(async () => {
  for (const sshd of await Promise.all(started.splice(0))) await sshd.stop();
});
function startServer(options = {}): Promise<SshdInProcess> {
  const sshd = startSshdInProcess(options);
  started.push(sshd);
  return sshd;
}

test('a port that opens later is found', async () => {
  const [port, user, host] = [await freePort(), newKey(), newKey()];
  const folder = await mkdtemp(join(tmpdir(), 'windlass-retry-'));
  const files = [join(folder, 'id'), join(folder, 'known_hosts')] as const;
  await writeFile(files[0], user.private, { mode: 0o600 });
  await writeFile(files[1], `127.0.0.1 ${host.public}\n`);
  // After the first attempts, which are at once and after 500 ms.
  setTimeout(() => void startServer({ port, hostKeys: [host], authorized: [user.public] }), 800);
  const connection = await connectWithRetry(plainTarget(port, ...files), { deadlineMs: 10_000 });
  connection.close();
  await rm(folder, { recursive: true });
});

test('a refused login does not become right by asking again', async () => {
  const sshd = await startServer();
  sshd.refuse('logins');
  await expect(connectWithRetry(await sshd.target(), { deadlineMs: 10_000 })).rejects.toMatchObject({
    code: 'SSH_AUTH',
  });
  expect(sshd.seen.connections).toBe(1);
});

test('a host key that is not known does not become so by asking again', async () => {
  const sshd = await startServer();
  const target = await sshd.target({ known: false });
  await expect(connectWithRetry(target, { deadlineMs: 10_000 })).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_UNKNOWN',
  });
  expect(sshd.seen.connections).toBe(1);
});

test('pauses grow, and after the deadline the last error tells how often and how long it was tried', async () => {
  const target = { ...(await (await startServer()).target()), port: await freePort() };
  const before = performance.now();
  await expect(connectWithRetry(target, { deadlineMs: 1_950 })).rejects.toMatchObject({
    code: 'SSH_REFUSED',
    data: { attempts: 2, port: target.port, seconds: 1 },
  });
  expect(performance.now() - before).toBeLessThan(1_950);
});

test('an attempt does not outlast the deadline', async () => {
  const sshd = await startServer();
  const { port, close } = await startTcp(() => undefined);
  const target = { ...(await sshd.target()), port };
  const before = performance.now();
  await expect(connectWithRetry(target, { deadlineMs: 600 })).rejects.toMatchObject({
    code: 'SSH_TIMEOUT',
    data: { attempts: 1 },
  });
  expect(performance.now() - before).toBeLessThan(3_000);
  await close();
});
