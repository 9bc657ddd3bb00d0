/**
 * `npm run demo`: sets up what it needs, then boots four hosts on this machine and brings them up as a cluster.
 * `npm run demo -- --once` takes everything down again at the end.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

function setUp(sentence, file, args) {
  console.log(`demo: ${sentence}`);
  const { status } = spawnSync(file, args, { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) {
    console.error(`demo: ${file} ${args.join(' ')} ended with ${status}; nothing was started`);
    process.exit(1);
  }
}

if (process.getuid?.() !== 0) {
  console.error('demo: the hosts are booted with systemd-nspawn, which needs root: sudo npm run demo');
  process.exit(1);
}
if (!existsSync(join(root, 'node_modules/tsx'))) {
  setUp('npm ci: the tools and libraries named in package-lock.json', 'npm', ['ci']);
}
setUp('npm run build: the program and what it places on nodes', 'npm', ['run', '--silent', 'build']);

const child = spawn(process.execPath, ['--import', 'tsx', 'test/lab/demo.ts', ...process.argv.slice(2)], {
  cwd: root,
  stdio: 'inherit',
});
// The terminal sends Ctrl-C to both; the demo takes its hosts down, and this script waits for it.
process.on('SIGINT', () => {});
process.on('SIGTERM', () => child.kill('SIGTERM'));
child.on('exit', (code) => process.exit(code ?? 1));
