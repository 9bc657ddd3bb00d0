/**
 * Makes dist: the program, the workflow bundle that control workers run, the payload that is put on nodes, and the
 * licences of all that these contain of others. `--crash-points` makes out/crash-points/dist instead,
 * for fault tests only.
 */
import { chmod, copyFile, cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';
import { packagesIn, writeLicences } from './licences.mjs';
import { bundlePayload } from './payload/bundle.mjs';
import { bundleProgram } from './program.mjs';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const crashPoints = process.argv.includes('--crash-points');
const dist = join(root, crashPoints ? 'out/crash-points/dist' : 'dist');

// Scripts that nodes run: the bundler does not carry them over.
const SCRIPT = /\.(sh|py)$/;

await rm(dist, { recursive: true, force: true });
if (crashPoints) {
  // A build finds its versions in the package beside it.
  await mkdir(dist, { recursive: true });
  await copyFile(join(root, 'package.json'), join(dist, '../package.json'));
}
const contained = await Promise.all([
  step('program', makeProgram),
  step('workflows', bundleWorkflows),
  step('payload', () => bundlePayload(root, join(dist, 'payload'), { crashPoints })),
]);
await writeLicences(contained.flat(), join(dist, 'THIRD-PARTY-LICENSES'));

async function makeProgram() {
  const metafile = await bundleProgram(root, join(dist, 'src'));
  await mkdir(join(dist, 'bin'), { recursive: true });
  const door = join(dist, 'bin/windlass.cjs');
  await copyFile(join(root, 'bin/windlass.cjs'), door);
  // npx makes it executable only when it meets this folder for the first time; a second build would undo that.
  await chmod(door, 0o755);
  for (const folder of ['src', 'activities']) {
    const scripts = (await readdir(join(root, folder), { recursive: true })).filter((path) =>
      SCRIPT.test(path),
    );
    for (const path of scripts) await cp(join(root, folder, path), join(dist, folder, path));
  }
  return packagesIn(Object.keys(metafile.inputs));
}

async function bundleWorkflows() {
  const workflowsPath = join(root, 'workflows/index.ts');
  const { code } = await bundleWorkflowCode({ workflowsPath, logger: new DefaultLogger('WARN') });
  await mkdir(dist, { recursive: true });
  await writeFile(join(dist, 'workflow-bundle.cjs'), withRelativeSources(code));
  // The bundler names each module that it took in.
  return packagesIn([...code.matchAll(/^\/\*\*\*\/ "([^"]+)":$/gm)].map(([, path]) => join(root, path)));
}

/**
 * The source map within the bundle names absolute paths. What is placed is named by its content, so the same sources
 * must give the same bundle in every folder.
 */
function withRelativeSources(code) {
  return code.replace(/(?<=sourceMappingURL=data:application\/json[^,]*;base64,)[\w+/=]+/, (encoded) => {
    const map = Buffer.from(encoded, 'base64').toString().replaceAll(`${root}/`, './');
    return Buffer.from(map).toString('base64');
  });
}

async function step(name, work) {
  const start = performance.now();
  const result = await work();
  console.log(`${name}: ${((performance.now() - start) / 1000).toFixed(1)} s`);
  return result;
}
