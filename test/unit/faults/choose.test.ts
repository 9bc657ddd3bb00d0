import { describe, expect, test } from '@jest/globals';
import { choose } from '../../faults/choose.ts';
import { titleOf } from '../../faults/fault.ts';
import { table } from '../../faults/table/index.ts';

const titles = (...args: Parameters<typeof choose>): string[] => choose(...args).chosen.map(titleOf);

describe('which faults are run', () => {
  test('all, where nothing is said, and none twice', () => {
    const all = titles(table, [], {});
    expect(new Set(all).size).toBe(all.length);
    expect(all.length).toBe(table.length);
  });

  test('those of an id and a step', () => {
    expect(titles(table, ['F43'], { step: 'install wheels' })).toEqual(['F43 install wheels/during']);
  });

  test('one by its whole title', () => {
    expect(titles(table, ['F43 start head/during'], {})).toEqual(['F43 start head/during']);
  });

  test('those that begin alike stand side by side', () => {
    const starts = choose(table, [], {}).chosen.map(({ start }) => start);
    const changes = starts.filter((start, at) => start !== starts[at - 1]);
    expect(changes).toEqual([...new Set(starts)]);
  });

  test('a seed draws the same ones again', () => {
    const drawn = titles(table, [], { random: 8, seed: 7 });
    expect(drawn).toHaveLength(8);
    expect(titles(table, [], { random: 8, seed: 7 })).toEqual(drawn);
    expect(titles(table, [], { random: 8, seed: 8 })).not.toEqual(drawn);
  });
});
