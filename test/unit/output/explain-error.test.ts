import { ServiceError } from '@temporalio/client';
import { expect, test } from '@jest/globals';
import { fail } from '../../../src/errors.ts';
import { explainError } from '../../../src/output/explain-error.ts';

/** What a client says of a service that does not answer: code 14, UNAVAILABLE. */
const silent = () =>
  new ServiceError('no Temporal service answers', {
    cause: Object.assign(new Error('14 UNAVAILABLE'), { code: 14, metadata: {} }),
  });

test('a service that goes away in the middle is told as that, not as a defect', () => {
  const told = explainError(silent());
  expect(told.exitCode).toBe(4);
  expect(told.json.errors).toMatchObject([{ code: 'TEMPORAL_UNREACHABLE', data: { address: 'the home' } }]);
});

test('what is told already keeps its own words, though such an error is behind it', () => {
  const address = '127.0.0.1:7233 on spark-4080';
  const known = fail('TEMPORAL_UNREACHABLE', { address, reason: 'it does not answer' }, silent());
  expect(explainError(known).json.errors).toMatchObject([{ data: { address } }]);
  const other = fail('NO_HOME', { node: 'spark-4080' }, silent());
  expect(explainError(other).json.errors).toMatchObject([{ code: 'NO_HOME' }]);
});
