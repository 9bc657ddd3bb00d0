/**
 * `npm run bench` lists the benchmarks, `npm run bench -- B2` runs one and prints one line of JSON on stdout; progress
 * goes to stderr. `--lab NAME` uses a lab that is up already, `--rounds N` tries N rounds only, `--full` takes
 * the long form of those that have one, `--keep` writes the record to bench/results.json for docs/benchmarks.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const isRun = process.argv.slice(2).some((argument) => !argument.startsWith('-'));

// Stdout is for the one line of JSON, so what npm prints goes to stderr.
function setUp(sentence, args) {
  console.error(`bench: ${sentence}`);
  const { status } = spawnSync('npm', args, { cwd: root, stdio: ['ignore', 2, 'inherit'] });
  if (status !== 0) {
    console.error(`bench: npm ${args.join(' ')} ended with ${status}; nothing was measured`);
    process.exit(1);
  }
}

/** When the newest file below these paths was written. */
function newest(paths) {
  return Math.max(
    ...paths.map((path) => {
      const full = join(root, path);
      const stat = statSync(full);
      if (!stat.isDirectory()) return stat.mtimeMs;
      return newest(readdirSync(full).map((name) => join(path, name)));
    }),
    0,
  );
}

function isBuilt() {
  const built = join(root, 'dist/workflow-bundle.cjs');
  const sources = ['src', 'workflows', 'activities', 'workers', 'bin', 'package-lock.json'];
  return existsSync(built) && statSync(built).mtimeMs > newest(sources);
}

if (!existsSync(join(root, 'node_modules/tsx'))) {
  setUp('npm ci: the tools and libraries named in package-lock.json', ['ci']);
}
if (isRun && !isBuilt()) {
  setUp('npm run build: the program and what it places on nodes', ['run', '--silent', 'build']);
}
const child = spawn(process.execPath, ['--import', 'tsx', 'bench/main.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; a lab that was booted goes down with the process that booted it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
