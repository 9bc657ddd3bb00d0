import { describe, expect, test } from '@jest/globals';
import { Problems } from '../../../src/errors.ts';
import { demandNoDowngrade } from '../../../src/placing/downgrade.ts';
import type { LookedNode } from '../../../src/placing/look.ts';

/** All that the rule reads of a node. */
const nodes = (payloads: Readonly<Record<string, string | null>>): LookedNode[] =>
  Object.entries(payloads).map(
    ([name, payload]) => ({ entry: { name }, look: { payload } }) as unknown as LookedNode,
  );
const hash = '-0123456789ab';

describe('a program that would replace what stands', () => {
  test.each([
    ['nothing', null],
    ['an older version', `0.9.0${hash}`],
    ['another build of its own version', `0.10.0-ba9876543210`],
    ['a pre-release of its own version', `0.10.0-rc.1${hash}`],
  ])('may replace %s', (_what, payload) => {
    expect(() => {
      demandNoDowngrade(nodes({ head: payload }), '0.10.0');
    }).not.toThrow();
  });

  test('is refused on every node that has a newer one, with both versions', () => {
    const found = nodes({ head: `0.10.1${hash}`, other: `0.9.0${hash}`, third: `1.0.0-rc.1${hash}` });
    let error: unknown;
    try {
      demandNoDowngrade(found, '0.10.0');
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(Problems);
    expect((error as Problems).errors).toMatchObject([
      { node: 'head', code: 'DOWNGRADE', data: { installed: '0.10.1', own: '0.10.0' } },
      { node: 'third', code: 'DOWNGRADE', data: { installed: '1.0.0-rc.1', own: '0.10.0' } },
    ]);
  });
});
