/**
 * `npm run faults` runs the fault suite, `npm run faults -- F43 --step "install wheels"` a part of it; `--help` says
 * more. It runs on a build of its own, which holds the points at which a worker can be made to die.
 */
import { spawn, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const args = process.argv.slice(2);
const runsNothing = ['--list', '--help', '-h'].some((option) => args.includes(option));
if (!runsNothing) {
  const { status } = spawnSync(process.execPath, ['scripts/build.mjs', '--crash-points'], {
    cwd: root,
    stdio: ['ignore', 2, 'inherit'],
  });
  if (status !== 0) process.exit(status ?? 1);
}
const child = spawn(process.execPath, ['--import', 'tsx', 'test/faults/main.ts', ...args], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; a lab that was booted goes down with the process that booted it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => {
  if (!runsNothing) spawnSync(process.execPath, ['scripts/docs.mjs'], { cwd: root, stdio: 'inherit' });
  process.exit(code ?? 1);
});
