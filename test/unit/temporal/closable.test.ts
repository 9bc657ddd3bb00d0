import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { openConnection } from '../../../src/temporal/closable.ts';

// Nobody listens there, so each try fails at once and the next one waits for its timer.
const address = '127.0.0.9:9';

test.each([
  ['while its first try is under way', 0],
  ['while it waits for its next try', 60],
])('a call ends with its connection, %s', async (_when, ms) => {
  const { connection, close } = openConnection({ address });
  const called = connection.workflowService.getSystemInfo({}).then(
    () => 'answered',
    () => 'refused',
  );
  await sleep(ms);
  await close();
  expect(await called).toBe('refused');
});
