import { expect, test } from '@jest/globals';
import { refusalIn } from '../../../activities/model-refusal.ts';

test.each([
  ['the hub says more than one line', 'exit 1: NOT_FOUND 404 Client Error.\n\nRepository Not Found for url'],
  ['the log has lines before it', 'exit 1: Fetching 4 files\nNOT_FOUND 404 Client Error.\n\nAgain'],
  ['it is all that was said', 'NOT_FOUND 404'],
])('is found where %s', (_what, evidence) => {
  expect(refusalIn(evidence)).toMatch(/^NOT_FOUND 404/);
});

test('is the last line where nothing of it was said', () => {
  expect(refusalIn('exit 1: Traceback\nOSError: connection reset')).toBe('OSError: connection reset');
});
