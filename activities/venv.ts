/** Provision venv: uv makes `envs/<hash>`; the proof is that its interpreter runs. */
import { mkdir, stat } from 'node:fs/promises';
import { VenvInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import { run } from '../src/process/run.ts';
import type { Changed } from './acts.ts';
import { demandSuccess, startAct, unchanged, watchAct } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';
import { folderBytes } from './sizes.ts';
import { environmentPath } from './uv.ts';

/** Make the virtual environment; the proof is that its interpreter runs. */
export const provisionVenv = (context: NodeContext) =>
  define(
    context,
    VenvInput,
    async ({ run: runRef, environment, request }): Promise<Changed & { python: string }> => {
      const path = environmentPath(context, environment);
      const found = await pythonVersion(path);
      if (found !== null) return { ...unchanged, python: found };
      const unit = `windlass-venv-${environment}`;
      await mkdir(context.layout.environments, { recursive: true, mode: 0o700 });
      await startAct(context, {
        unit,
        generation: environment,
        step: 'provision venv',
        run: runRef,
        file: context.uv,
        // What lies there may be a ruin, which uv takes for somebody else's folder; all below `envs` is ours.
        args: ['venv', path, '--python', request.python, '--clear', '--force', '--no-project'],
        env: baseEnvironment(context),
        options: { description: 'windlass: provision venv', stopSeconds: 10 },
        isDone: async () => (await pythonVersion(path)) !== null,
      });
      const result = await watchAct(
        context,
        unit,
        async () => ({ bytes: await folderBytes(`${context.layout.cache}/python`) }),
        20_000,
      );
      await demandSuccess(context, unit, result, (evidence) =>
        /No interpreter found|Failed to download|not found/i.test(evidence)
          ? fail('PYTHON_MISSING', { wanted: request.python, evidence })
          : fail('ENVIRONMENT_FAILED', { evidence }),
      );
      const python = await pythonVersion(path);
      if (python === null) throw fail('ENVIRONMENT_FAILED', { evidence: `${path}/bin/python does not run` });
      return { changed: true, python, what: `made ${path} with Python ${python}` };
    },
  );

/** The version of an environment's interpreter, or null when it does not run. */
export async function pythonVersion(path: string): Promise<string | null> {
  const there = await stat(`${path}/bin/python`).catch(() => null);
  if (!there) return null;
  const result = await run(
    {
      file: `${path}/bin/python`,
      args: ['-c', 'import sys; print(".".join(map(str, sys.version_info[:3])))'],
    },
    { timeoutMs: 60_000 },
  );
  return result.exitCode === 0 ? result.stdout.trim() : null;
}
