/**
 * How often a property is tried, and from which seed: always the same in the gate, where a test must not fail by
 * chance; `npm run fuzz` tries more often, from another seed each time, and prints it.
 */
const times = Number(process.env['WINDLASS_FUZZ_TIMES'] ?? 1);
const seed = Number(process.env['WINDLASS_FUZZ_SEED'] ?? 1);

export const runs = (numRuns: number): { numRuns: number; seed: number } => ({
  numRuns: numRuns * times,
  seed,
});
