import { expect, test } from '@jest/globals';
import { isBelow } from '../../../src/engines/version.ts';

test.each([
  ['0.5.9', '0.5.11', true],
  ['0.5.10.post1', '0.5.11', true],
  ['0.5.11rc1', '0.5.11', true],
  ['0.5.11.dev3', '0.5.11', true],
  ['0.5.11', '0.5.11', false],
  ['0.5.11.post1', '0.5.11', false],
  ['0.5.11+cu130', '0.5.11', false],
  ['0.5.12rc1', '0.5.11', false],
  ['0.5.20', '0.5.3', false],
  ['2.9', '2.54.0', true],
  ['2.54', '2.54.0', false],
  ['3', '2.54.0', false],
])('%s is below %s: %s', (version, floor, below) => {
  expect(isBelow(version, floor)).toBe(below);
});
