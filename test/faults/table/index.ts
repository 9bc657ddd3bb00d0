/** Every fault of the suite, group by group. */
import type { Fault } from '../fault.ts';
import { temporalFaults } from './a-temporal.ts';
import { controlFaults } from './b-control.ts';
import { reachFaults } from './c-reach.ts';
import { damageFaults } from './d-damage.ts';
import { nodeFaults } from './d-node.ts';
import { environmentFaults } from './e-environment.ts';
import { keptFaults } from './f-kept.ts';
import { servingFaults } from './f-serving.ts';

export const table: readonly Fault[] = [
  ...temporalFaults,
  ...controlFaults,
  ...reachFaults,
  ...nodeFaults,
  ...damageFaults,
  ...environmentFaults,
  ...servingFaults,
  ...keptFaults,
];
