/** Install wheels: exactly the lock; the proof is that the installed set equals it. */
import { WheelsInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import { lookAtUnit } from '../src/process/units.ts';
import type { Changed } from './acts.ts';
import { beating, demandSuccess, startAct, unchanged, watchAct } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';
import { confirmInstalled, difference, discardHalf, distributions, hasEnded } from './installed.ts';
import { ensureLockFile } from './lock.ts';
import { readLockedSources } from './lock-file.ts';
import { demandAllowed } from './policy.ts';
import { folderBytes } from './sizes.ts';
import { demandReachable, environmentPath, indexOptions, lockPath } from './uv.ts';

/** Install exactly the lock; the proof is that the installed set equals it. */
export const installWheels = (context: NodeContext) =>
  define(context, WheelsInput, async (input): Promise<Changed> => {
    const { run: runRef, environment, request, requestHash, lock } = input;
    const text = await ensureLockFile(context, requestHash, lock);
    // It may come from another node of the class: its owner's word is not that of this one's.
    await demandAllowed(context, { sources: readLockedSources(text) });
    const path = environmentPath(context, environment);
    const unit = `windlass-wheels-${environment}`;
    const isInstalled = async () =>
      (await hasEnded(context, unit, environment, text)) &&
      (await beating('comparing with the lock', () =>
        confirmInstalled(context, path, environment, requestHash, text),
      ));
    if (!(await lookAtUnit(unit)).active && (await isInstalled())) return unchanged;
    const cacheBefore = await beating('measuring the cache', () => folderBytes(`${context.layout.cache}/uv`));
    await startAct(context, {
      unit,
      generation: environment,
      step: 'install wheels',
      run: runRef,
      file: context.uv,
      args: [
        'pip',
        'sync',
        '--python',
        `${path}/bin/python`,
        '--strict',
        // A first start that has to compile everything can outlast Ray's own 15 s for its helpers.
        '--compile-bytecode',
        ...indexOptions(request),
        lockPath(context, requestHash),
      ],
      env: { ...baseEnvironment(context), UV_COMPILE_BYTECODE_TIMEOUT: '0' },
      options: { description: 'windlass: install wheels', stopSeconds: 10 },
      isDone: isInstalled,
      prepare: () => beating('discarding what was cut off', () => discardHalf(context, unit, environment)),
    });
    const result = await watchAct(
      context,
      unit,
      async () => ({
        bytes: Math.max(0, (await folderBytes(`${context.layout.cache}/uv`)) - cacheBefore),
        totalBytes: lock.bytes,
        packages: (await distributions(path)).length,
        totalPackages: lock.packages,
      }),
      20_000,
    );
    if (result?.exitCode !== 0) await demandReachable(context, request);
    await demandSuccess(context, unit, result, (evidence, log) => fail('WHEELS_FAILED', { evidence, log }));
    if (!(await isInstalled())) {
      throw fail('WHEELS_FAILED', { evidence: await difference(path, text), log: unit });
    }
    return { changed: true, what: `installed ${lock.packages} packages into ${path}` };
  });
