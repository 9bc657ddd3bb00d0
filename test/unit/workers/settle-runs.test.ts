/** What becomes of the runs under way is tested with a real service in test/workflow/upgrade.test.ts; here, that one is away. */
import type { Client } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { settleOpenRuns } from '../../../workers/settle-runs.ts';

const away = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, metadata: {} });

/** Look at the runs of a service that answers in these ways, one after the other, and then that there are none. */
async function settled(...errors: readonly Error[]) {
  const warnings: string[] = [];
  let asked = 0;
  const list = () => {
    const error = errors[asked];
    asked += 1;
    if (error) throw error;
    return [];
  };
  await settleOpenRuns({ workflow: { list } } as unknown as Client, {
    own: { version: '1.0.0-0', codePath: '/nowhere' },
    startKept: () => Promise.reject(new Error('nothing is to be kept')),
    logger: { warn: (message) => warnings.push(message) },
  });
  return { asked, warnings: warnings.length };
}

test('a service that is away is asked again until it answers', async () => {
  expect(await settled(away, new Error('listing', { cause: away }))).toEqual({ asked: 3, warnings: 2 });
});

test('what else fails is told once, and keeps nobody from the start', async () => {
  expect(await settled(new Error('no such query'))).toEqual({ asked: 1, warnings: 1 });
});
