/** A node may still be booting: what time can mend is tried again, and nothing else, and not for ever. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import type { WindlassError } from '../../../src/errors.ts';
import { type RetryOptions, connectWithRetry } from '../../../src/ssh/retry.ts';
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

/** Options that write down what was tried again, and let the test act then. */
function noting(onRetry: () => void = () => undefined, options: Partial<RetryOptions> = {}) {
  const retries: string[] = [];
  const note = (error: WindlassError, pauseMs: number): void => {
    retries.push(`${error.code} ${pauseMs}`);
    onRetry();
  };
  return { retries, options: { deadlineMs: 10_000, ...options, onRetry: note } };
}

test('a port that opens later is found, after pauses that grow', async () => {
  const [port, user, host] = [await freePort(), newKey(), newKey()];
  const folder = await mkdtemp(join(tmpdir(), 'windlass-retry-'));
  const files = [join(folder, 'id'), join(folder, 'known_hosts')] as const;
  await writeFile(files[0], user.private, { mode: 0o600 });
  await writeFile(files[1], `127.0.0.1 ${host.public}\n`);
  const { retries, options } = noting(() => {
    if (retries.length === 2) void startServer({ port, hostKeys: [host], authorized: [user.public] });
  });
  const connection = await connectWithRetry(plainTarget(port, ...files), options);
  expect(retries).toEqual(['SSH_REFUSED 500', 'SSH_REFUSED 1000']);
  connection.close();
  await rm(folder, { recursive: true });
});

test('a refused login is tried again only while the node is being provisioned', async () => {
  const sshd = await startServer();
  sshd.refuse('logins');
  const target = await sshd.target();
  const usual = noting();
  await expect(connectWithRetry(target, usual.options)).rejects.toMatchObject({ code: 'SSH_AUTH' });
  expect(usual.retries).toEqual([]);
  const { retries, options } = noting(
    () => {
      sshd.refuse(undefined);
    },
    { isProvisioning: true },
  );
  const connection = await connectWithRetry(target, options);
  expect(retries).toEqual(['SSH_AUTH 500']);
  connection.close();
});

test('a host key that is not known does not become so by asking again', async () => {
  const sshd = await startServer();
  const { retries, options } = noting(undefined, { isProvisioning: true });
  await expect(connectWithRetry(await sshd.target({ known: false }), options)).rejects.toMatchObject({
    code: 'SSH_HOST_KEY_UNKNOWN',
  });
  expect([retries, sshd.seen.connections]).toEqual([[], 1]);
});

test('after the deadline the last error tells how often and how long it was tried', async () => {
  const target = { ...(await (await startServer()).target()), port: await freePort() };
  const { retries, options } = noting(undefined, { deadlineMs: 1_950 });
  const before = performance.now();
  await expect(connectWithRetry(target, options)).rejects.toMatchObject({
    code: 'SSH_REFUSED',
    data: { attempts: 2, port: target.port, seconds: 1 },
  });
  expect(retries).toEqual(['SSH_REFUSED 500']);
  expect(performance.now() - before).toBeLessThan(1_950);
});

test('an attempt does not outlast the deadline', async () => {
  const sshd = await startServer();
  const { port, close } = await startTcp(() => undefined);
  const { options } = noting(undefined, { deadlineMs: 600 });
  const before = performance.now();
  await expect(connectWithRetry({ ...(await sshd.target()), port }, options)).rejects.toMatchObject({
    code: 'SSH_TIMEOUT',
    data: { attempts: 1 },
  });
  expect(performance.now() - before).toBeLessThan(3_000);
  await close();
});

test('a signal ends the pause', async () => {
  const target = { ...(await (await startServer()).target()), port: await freePort() };
  const stop = new AbortController();
  const { options } = noting(
    () => {
      stop.abort(new Error('enough'));
    },
    { signal: stop.signal },
  );
  await expect(connectWithRetry(target, options)).rejects.toMatchObject({ name: 'AbortError' });
  await expect(connectWithRetry(target, options)).rejects.toThrow('enough');
});
