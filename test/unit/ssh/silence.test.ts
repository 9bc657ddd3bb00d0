/** A line that has gone silent is noticed by what it does not say: by ticks of a clock that the test holds. */
import { type Socket, connect as connectTcp } from 'node:net';
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { KEEPALIVE_MS, watchSilence } from '../../../src/ssh/transport.ts';
import { startTcp } from '../../support/sshd-in-process.ts';

beforeEach(() => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask'] });
});
let cleanUp: (() => Promise<void>) | undefined;
afterEach(async () => {
  jest.useRealTimers();
  await cleanUp?.();
});
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) {
    jest.advanceTimersByTime(KEEPALIVE_MS);
    await turn();
  }
}

test('is called once, after four ticks without a sign of life', async () => {
  const onSilent = jest.fn();
  const stop = watchSilence(new PassThrough(), onSilent);
  await ticks(3);
  expect(onSilent).not.toHaveBeenCalled();
  await ticks(10);
  expect(onSilent).toHaveBeenCalledTimes(1);
  stop();
});

test('is not called while anything comes in, nor after the watch has ended', async () => {
  const onSilent = jest.fn();
  const line = new PassThrough();
  const stop = watchSilence(line, onSilent);
  for (let round = 0; round < 5; round++) {
    await ticks(3);
    line.write('x');
    await turn();
  }
  expect(onSilent).not.toHaveBeenCalled();
  stop();
  await ticks(10);
  expect(onSilent).not.toHaveBeenCalled();
});

test('an upload that moves is a sign of life although no answer comes; one that stands is not', async () => {
  const { server, port, close } = await startTcp(() => undefined);
  const line = connectTcp(port, '127.0.0.1');
  cleanUp = async () => {
    line.destroy();
    await close();
  };
  const [far] = (await once(server, 'connection')) as [Socket];
  // As an upload does: a piece, then the next when the line has taken it, until the line takes no more.
  const send = (): void => void (line.write(Buffer.alloc(128 * 1024)) && setImmediate(send));
  line.on('drain', send);
  send();
  const flushed = (): number => line.bytesWritten - line.writableLength;
  const stands = async (): Promise<void> => {
    for (let quiet = 0, last = -1; quiet < 20; last = flushed()) {
      quiet = last === flushed() && line.writableLength > 0 ? quiet + 1 : 0;
      await turn();
    }
  };
  await stands();
  const onSilent = jest.fn();
  const stop = watchSilence(line, onSilent);
  for (let round = 0; round < 8; round++) {
    await ticks(1);
    const before = flushed();
    far.resume();
    while (flushed() === before) await turn();
    far.pause();
    await stands();
  }
  expect(onSilent).not.toHaveBeenCalled();
  await ticks(6);
  expect(onSilent).toHaveBeenCalledTimes(1);
  stop();
});
