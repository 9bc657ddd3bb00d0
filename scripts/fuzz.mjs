/**
 * `npm run fuzz` tries the property tests from a new seed, a hundred times as often as the gate does;
 * `npm run fuzz -- --seed N --times M` says otherwise.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    times: { type: 'string', default: '100' },
  },
});
const root = fileURLToPath(new URL('..', import.meta.url));
console.log(`seed ${values.seed}, ${values.times} times as often as in the gate`);
const flags = ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning'];
const { status } = spawnSync(
  process.execPath,
  [
    ...flags,
    'node_modules/jest/bin/jest.js',
    ...['--selectProjects', 'unit', '--testTimeout', '3600000'],
    ...['--testPathPatterns', 'fuzz/|properties|process/(command|escape|redact)|bench/statistics'],
  ],
  {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, WINDLASS_FUZZ_SEED: values.seed, WINDLASS_FUZZ_TIMES: values.times },
  },
);
process.exit(status ?? 1);
