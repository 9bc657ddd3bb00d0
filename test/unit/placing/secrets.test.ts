import { describe, expect, it } from '@jest/globals';
import { ClusterFile } from '../../../src/config/schema.ts';
import { resolveSecrets } from '../../../src/placing/secrets.ts';
import { file } from '../checks/cluster.ts';

const withKey = ClusterFile.parse({ ...file, secrets: { apiKey: { fromEnv: 'KEY' } } });

describe('an API key', () => {
  it('is read from the operator’s environment', async () => {
    expect(await resolveSecrets(withKey, { KEY: ' sk-1234\n' })).toEqual(new Map([['apiKey', 'sk-1234']]));
  });

  it.each([
    ['that the engine would refuse hours later', '-starts-with-a-dash', /printable ASCII/],
    ['that is not there', undefined, /it is not set/],
  ])('%s is told before anything is placed', async (_what, KEY, reason) => {
    await expect(resolveSecrets(withKey, { KEY })).rejects.toMatchObject({
      code: 'SECRET_UNREADABLE',
      message: expect.stringMatching(reason),
      data: { name: 'apiKey', from: 'the variable KEY' },
    });
  });
});
