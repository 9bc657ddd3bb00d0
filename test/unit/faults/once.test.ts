import { expect, test } from '@jest/globals';
import { begunAgain } from '../../faults/judge/once.ts';

const line = (what: string, { step = 'install wheels', run = 'r1', exitCode = 0 } = {}) => ({
  at: 1,
  run,
  step,
  what,
  unit: 'windlass-wheels-a',
  ...(what === 'ended' && { exitCode }),
});

test.each([
  ['once', [line('began'), line('ended')], 0],
  ['again after a death', [line('began'), line('began'), line('ended')], 0],
  ['again after a failure', [line('began'), line('ended', { exitCode: 1 }), line('began')], 0],
  ['by another run', [line('began'), line('ended'), line('began', { run: 'r2' })], 0],
  [
    'again as a part of a gang',
    ['began', 'ended', 'began'].map((what) => line(what, { step: 'join workers' })),
    0,
  ],
  ['again after it had ended well', [line('began'), line('ended'), line('began')], 1],
])('an act that is begun %s', (_what, lines, twice) => {
  expect(begunAgain(lines)).toHaveLength(twice);
});
