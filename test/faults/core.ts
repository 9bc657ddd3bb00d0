/**
 * The core of the suite: it runs with the other tests, and alone by `npm run faults -- --core`. For each group and each
 * invariant the quickest faults that judge it, one for each kind of harm; in two halves, which are two labs.
 */

/** Temporal, control worker, command line, ssh, which stand between a person and the nodes; and what people do to them. */
export const controlCore: readonly string[] = [
  'F15 purge/during',
  'F20 fresh',
  'F16 start head/during',
  'F20 after down',
  'F86 launch server/during',
  'F15 install wheels/during',
  'F01 up/before',
  'F03 serving',
  'F23 bootstrap/before',
  'F26 bootstrap/before',
  'F29 bootstrap/before',
  'F14 launch server/during',
  'F78 serving',
  'F79 serving',
  'F85 serving',
];

/** Node workers, machines, environments, Ray and what serves. */
export const nodeCore: readonly string[] = [
  'F42 join workers/before',
  'F44 launch server/after',
  'F48 start head/during',
  'F62 start head/before',
  'F43 stage model/during',
  'F52 serving',
  'F60 stage model/before',
  'F63 start head/before',
  'F70 kept',
  'F73 checks/before',
];

export const core: readonly string[] = [...controlCore, ...nodeCore];
