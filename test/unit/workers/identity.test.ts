import { expect, test } from '@jest/globals';
import { identityOf, versionIn } from '../../../workers/identity.ts';

test('a control worker bears its version in its name, and nobody else has one', () => {
  expect(versionIn(identityOf('0.1.0-00000000000a'))).toBe('0.1.0-00000000000a');
  // What releases before called themselves, a node worker, the command line.
  for (const name of ['windlass-control@17', 'windlass-node@a/17', 'person@desk', '']) {
    expect(versionIn(name)).toBeNull();
  }
});
