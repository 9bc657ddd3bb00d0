import { describe, expect, test } from '@jest/globals';
import { core } from '../../faults/core.ts';
import { titleOf } from '../../faults/fault.ts';
import { table } from '../../faults/table/index.ts';

const chosen = table.filter((fault) => core.includes(titleOf(fault)));

describe('the core of the fault suite', () => {
  test('names faults that there are, none twice, and 25 at least', () => {
    expect(chosen.map(titleOf).toSorted()).toEqual(core.toSorted());
    expect(core.length).toBeGreaterThanOrEqual(25);
  });

  test('covers every group', () => {
    expect([...new Set(chosen.map(({ group }) => group))].toSorted()).toEqual(
      [...new Set(table.map(({ group }) => group))].toSorted(),
    );
  });

  test('judges every invariant', () => {
    const judged = new Set(chosen.flatMap(({ invariants }) => invariants));
    expect([...judged].toSorted()).toEqual(['I1', 'I2', 'I3', 'I4', 'I5', 'I6', 'I7', 'I8', 'I9']);
  });
});
