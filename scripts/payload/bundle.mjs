/**
 * Makes dist/payload: what is put on nodes and heads, each program one file without node_modules. What a node needs
 * beyond it (Node.js, uv, the native part of the Temporal SDK) is fetched or found when it is placed.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { build } from 'esbuild';
import { packagesIn } from '../licences.mjs';
import { besideBundle, payloadOptions } from './recipe.mjs';

const require = createRequire(import.meta.url);

/** Source in workers/ → file in dist/payload. */
const PROGRAMS = {
  'node.ts': 'node-worker.js',
  'control.ts': 'control-worker.js',
  'unit.ts': 'unit.js',
  'front.ts': 'front.js',
  'certificates.ts': 'certificates.js',
};

/** Bundle every worker of `root`/workers into `folder`. Returns the folders of the packages that they contain. */
export async function bundlePayload(root, folder, options) {
  await mkdir(folder, { recursive: true });
  const programs = Object.entries(PROGRAMS).map(([source, file]) => [join(root, 'workers', source), file]);
  const thread = [
    require.resolve('@temporalio/worker/lib/workflow/workflow-worker-thread'),
    besideBundle.workflowThread,
  ];
  const built = await Promise.all(
    [...programs, thread].map(([source, file]) => build(payloadOptions(source, join(folder, file), options))),
  );
  // The bundles are modules wherever they are put, whatever package.json lies further up.
  await writeFile(join(folder, 'package.json'), '{"type":"module"}\n');
  return packagesIn(built.flatMap(({ metafile }) => Object.keys(metafile.inputs)));
}
