/** Bundles the workflows of the sources once, for all test files of a project; the path goes by the environment. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Make the bundle and put its path into WINDLASS_TEST_BUNDLE. */
export default async function makeBundle(): Promise<void> {
  const { code } = await bundleWorkflowCode({
    workflowsPath: join(root, 'workflows/index.ts'),
    workflowInterceptorModules: [join(root, 'test/support/short-limits.ts')],
    logger: new DefaultLogger('WARN'),
  });
  const folder = join(root, '.cache/windlass');
  await mkdir(folder, { recursive: true });
  // One name for all runs, replaced whole: there is no moment after the replay tests at which it could be removed.
  const path = join(folder, 'workflow-bundle.cjs');
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, code);
  await rename(temporary, path);
  process.env['WINDLASS_TEST_BUNDLE'] = path;
}
