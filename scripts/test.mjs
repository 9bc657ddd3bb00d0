/**
 * Runs the tests and sets up what they need: `node scripts/test.mjs [unit | workflow | replay | lab | emulated]...`.
 * The last line says how many passed and failed, over all projects together.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const all = ['unit', 'workflow', 'replay', 'lab', 'emulated'];
const needHosts = ['lab', 'emulated'];
const asked = process.argv.slice(2).filter((argument) => !argument.startsWith('-'));
const passOn = process.argv.slice(2).filter((argument) => argument.startsWith('-'));
const projects = asked.length > 0 ? asked : all;
const unknown = projects.find((project) => !all.includes(project));
if (unknown !== undefined) {
  console.error(`there is no test project ${unknown}; there are ${all.join(', ')}`);
  process.exit(2);
}

function run(file, args, env = {}) {
  const { status, signal } = spawnSync(file, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...env },
  });
  return signal === null ? status : 1;
}

if (!existsSync(join(root, 'node_modules/jest'))) {
  console.log('npm ci: the tools and libraries named in package-lock.json');
  if (run('npm', ['ci']) !== 0) process.exit(1);
}
if (projects.some((project) => needHosts.includes(project))) {
  console.log('building dist/: what is placed on the hosts of the lab');
  if (run('npm', ['run', '--silent', 'build']) !== 0) process.exit(1);
  if (projects.includes('lab') && run(process.execPath, ['scripts/build.mjs', '--crash-points']) !== 0)
    process.exit(1);
}

/**
 * Projects whose tests compute; then labs, of which one waits long enough for another beside it; and the emulated host
 * last, alone: Ray gives its helpers 15 s to start.
 */
const stages = [
  projects.filter((project) => !needHosts.includes(project)),
  ...needHosts.filter((project) => projects.includes(project)).map((project) => [project]),
];
const folder = mkdtempSync(join(tmpdir(), 'windlass-test-'));
let passed = 0;
let failed = 0;
let isGreen = true;
for (const [at, stage] of stages.entries()) {
  if (stage.length === 0) continue;
  const counts = join(folder, `${at}.json`);
  const status = run(
    process.execPath,
    [
      '--experimental-vm-modules',
      '--disable-warning=ExperimentalWarning',
      'node_modules/jest/bin/jest.js',
      '--selectProjects',
      ...stage,
      `--maxWorkers=${stage.includes('emulated') ? 1 : 2}`,
      ...passOn,
    ],
    { WINDLASS_TEST_COUNTS: counts },
  );
  const counted = existsSync(counts) ? JSON.parse(readFileSync(counts, 'utf8')) : { passed: 0, failed: 1 };
  passed += counted.passed;
  failed += counted.failed;
  if (status !== 0) {
    isGreen = false;
    if (counted.failed === 0) failed += 1;
  }
}
rmSync(folder, { recursive: true, force: true });
console.log(`${passed} passed, ${failed} failed`);
process.exit(isGreen && passed > 0 ? 0 : 1);
