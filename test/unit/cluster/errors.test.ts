import { describe, expect, test } from '@jest/globals';
import type { ErrorCode } from '../../../src/errors.ts';
import { codes, fail } from '../../../src/errors.ts';

const names = Object.keys(codes) as ErrorCode[];
const waitedFor = names.filter((name) => codes[name].retry === 'person');

describe('codes for which a run waits', () => {
  test('are these', () => {
    expect(waitedFor).toEqual([
      'DISK_FULL',
      'READ_ONLY',
      'NO_PERMISSION',
      'NODE_OWNED',
      'NODE_WORKER_SILENT',
      'PORT_TAKEN',
      'CIRCUIT_OPEN',
    ]);
  });

  test.each(waitedFor)('%s says what to do, and is not tried again by itself', (name) => {
    const error = fail(name);
    expect(error.advice).toMatch(/\w/);
    expect(error.retryable).toBe(false);
  });
});

test('every other code is tried again exactly when the table says so', () => {
  for (const name of names) {
    expect([name, fail(name).retryable]).toEqual([name, ['act', 'few', 'gang'].includes(codes[name].retry)]);
  }
});
