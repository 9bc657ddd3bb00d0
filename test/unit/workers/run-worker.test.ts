import { afterEach, expect, jest, test } from '@jest/globals';
import type { State, Worker } from '@temporalio/worker';
import { runWorker } from '../../../workers/run-worker.ts';

afterEach(() => {
  jest.restoreAllMocks();
  jest.useRealTimers();
});

function deferred() {
  let resolve: () => void = () => undefined;
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** A worker whose `run` does not end by itself, as the SDK's after refused polls (F95 shows the real one). */
function inState(state: State) {
  const { promise, resolve: end } = deferred();
  return { worker: { getState: () => state, run: () => promise } as unknown as Worker, end };
}

test('a worker that has failed ends its process, whatever its run waits for', () => {
  jest.useFakeTimers();
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  void runWorker(inState('FAILED').worker);
  jest.advanceTimersByTime(6_000);
  expect(exit).toHaveBeenCalledWith(1);
});

test('one that runs, drains or has stopped is waited for, and then no longer watched', async () => {
  jest.useFakeTimers();
  const exit = jest.spyOn(process, 'exit').mockImplementation(() => undefined as never);
  for (const state of ['RUNNING', 'STOPPING', 'DRAINING', 'STOPPED'] as const) {
    const { worker, end } = inState(state);
    const ended = runWorker(worker);
    jest.advanceTimersByTime(10_000);
    end();
    await ended;
  }
  expect(exit).not.toHaveBeenCalled();
  expect(jest.getTimerCount()).toBe(0);
});
