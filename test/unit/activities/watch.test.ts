import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { appendFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { logOf } from '../../../activities/acts.ts';
import { watchRank } from '../../../activities/watch-rank.ts';
import { watchServer } from '../../../activities/watch-server.ts';
import type { ProcessIdentity } from '../../../src/process/identity.ts';
import { sleeper } from '../../support/sleeper.ts';
import { standInSystemctl } from '../../support/systemctl.ts';
import type { Asked } from './in-activity.ts';
import { base, inActivity, machine } from './in-activity.ts';

standInSystemctl();
const unit = 'windlass-ray-0000000000000000';
const otherBoot = '00000000-0000-0000-0000-000000000000';
const children: ChildProcess[] = [];
const endings: (() => unknown)[] = [];

afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  // The last begun ends first: what writes into a folder, before the folder goes.
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A process to watch. */
async function started(): Promise<{ child: ChildProcess; identity: ProcessIdentity }> {
  const process = await sleeper();
  children.push(process.child);
  return process;
}

/** Watch on as the next attempt does, which knows from the one before whom to watch. */
const watch = (processes: readonly ProcessIdentity[], asked: Asked = {}) =>
  inActivity(() => watchRank(machine('/nowhere'))({ ...base('/nowhere'), unit, gpus: 1 }), {
    heartbeatDetails: { v: 1, processes },
    ...asked,
  });

test('the death of a rank ends the watch within its rhythm, and the heartbeat says who was watched', async () => {
  const { child, identity } = await started();
  const heartbeats: unknown[] = [];
  const watching = watch([identity], { heartbeats });
  const missing = expect(watching).rejects.toMatchObject({
    type: 'RANK_MISSING',
    nonRetryable: true,
    message: `0 of 1 ranks run in ${unit} on this node`,
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  expect(heartbeats).toEqual([{ v: 1, processes: [identity] }]);
  const killedAt = performance.now();
  child.kill('SIGKILL');
  await missing;
  expect(performance.now() - killedAt).toBeLessThan(500);
});

test('a rank in the place of the one that was watched is another one', async () => {
  const { identity } = await started();
  const before = { ...identity, startTicks: identity.startTicks - 1 };
  await expect(watch([before])).rejects.toMatchObject({ type: 'RANK_MISSING' });
});

test('who was watched before the machine was booted is ignored, and looked for anew', async () => {
  const { child, identity } = await started();
  // No unit runs here, so nobody is found; the process with that pid is not taken for the rank, and goes on.
  await expect(watch([{ ...identity, bootId: otherBoot }])).rejects.toMatchObject({
    type: 'RANK_MISSING',
    details: [{ data: { ranks: 0, wanted: 1 } }],
  });
  expect(child.exitCode).toBeNull();
});

test('a watch that is cancelled ends with the reason, and touches nothing', async () => {
  const { child, identity } = await started();
  const cancel = new AbortController();
  const watching = watch([identity], { signal: cancel.signal });
  const reason = new Error('cancelled');
  cancel.abort(reason);
  await expect(watching).rejects.toMatchObject({ message: expect.stringContaining('cancelled') });
  expect(child.exitCode).toBeNull();
});

const engine = 'windlass-engine-0000000000000000';

/** Watch a server, its engine alive, quickly; `log` is what it writes into. */
async function watchServed(listener: RequestListener, lateMs: number) {
  const root = await mkdtemp(join(tmpdir(), 'windlass-watch-'));
  const log = logOf(machine(root), engine);
  await mkdir(dirname(log), { recursive: true });
  await writeFile(log, 'The server is fired up and ready to roll!\n');
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  endings.push(() => {
    server.closeAllConnections();
    server.close();
    return rm(root, { recursive: true });
  });
  const { port } = server.address() as AddressInfo;
  const input = { address: '127.0.0.1', port, servedName: 'm', withApiKey: false };
  const { child, identity } = await started();
  const watching = inActivity(
    () =>
      watchServer(machine(root), { everyMs: 50, limitMs: 1_000, lateMs })({
        ...base(root),
        ...input,
        unit: engine,
      }),
    { heartbeatDetails: { v: 1, processes: [identity] } },
  );
  return { watching, log, child };
}

/** Write lines into a log for as long as the test lasts. */
function writeOn(log: string): void {
  const writing = setInterval(() => {
    appendFileSync(log, 'Decode batch. #running-req: 96\n');
  }, 20);
  endings.push(() => {
    clearInterval(writing);
  });
}

const brief = '{"choices":[{"message":{"content":"a"}}],"usage":{"completion_tokens":1}}';

test('a server that neither answers nor writes more than a line about the question is stuck', async () => {
  const { watching, log } = await watchServed(() => void appendFile(log, 'Prefill batch\n'), 60_000);
  await expect(watching).rejects.toMatchObject({
    type: 'ENGINE_STUCK',
    details: [{ data: { phase: 'serving', why: 'no answer for 1 s, its log is silent, too', log } }],
  });
});

test('a server that answers late and writes meanwhile is only slow, for a while, and not asked anew', async () => {
  let asked = 0;
  const { watching, log } = await watchServed(() => {
    asked += 1;
  }, 2_000);
  writeOn(log);
  await expect(watching).rejects.toMatchObject({
    type: 'ENGINE_STUCK',
    details: [{ data: { why: expect.stringMatching(/^no answer for [23] s, though its log goes on$/) } }],
  });
  expect(asked).toBe(1);
});

test('a log that is not there says nothing about a server that answers late', async () => {
  const { watching, log } = await watchServed(() => void rm(log, { force: true }), 2_000);
  await expect(watching).rejects.toMatchObject({
    details: [{ data: { why: expect.stringMatching(/^no answer for [23] s/) } }],
  });
});

test('a server that was slow and answers is watched on, and one whose answer is an error is lost at once', async () => {
  let asked = 0;
  const { watching, log } = await watchServed((_request, response) => {
    asked += 1;
    if (asked === 1) setTimeout(() => response.end(brief), 1_500);
    else if (asked < 4) response.end(brief);
    else response.writeHead(500).end('CUDA error');
  }, 60_000);
  writeOn(log);
  await expect(watching).rejects.toMatchObject({
    type: 'SMOKE_FAILED',
    message: expect.stringContaining('answered 500: CUDA error'),
  });
  expect(asked).toBe(4);
});

test('an engine that has ended is told with its unit’s last words', async () => {
  const { watching, child } = await watchServed(() => undefined, 60_000);
  const exited = expect(watching).rejects.toMatchObject({
    type: 'ENGINE_EXITED',
    details: [{ data: { phase: 'serving', evidence: 'The server is fired up and ready to roll!' } }],
  });
  child.kill('SIGKILL');
  await exited;
});

test('so is one whose connections broke before its end was seen', async () => {
  const { watching, child } = await watchServed((request) => {
    request.socket.destroy();
    setTimeout(() => child.kill('SIGKILL'), 100);
  }, 60_000);
  await expect(watching).rejects.toMatchObject({ type: 'ENGINE_EXITED' });
});
