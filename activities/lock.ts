/** One lock with hashes per hardware class: resolved on one node of the class, carried to the others, installed as it is. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { Lock, WheelsInput } from '../src/cluster/inputs.ts';
import { LockInput, ReadLockInput } from '../src/cluster/inputs.ts';
import { fail } from '../src/errors.ts';
import { writeFileAtomic } from '../src/process/files.ts';
import { demandSuccess, hasEndedWell, startAct, watchAct } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { define } from './define.ts';
import { readLockedPackages } from './lock-file.ts';
import { holdNode } from './ownership.ts';
import { demandReachable, indexOptions, lockPath, sha256 } from './uv.ts';

async function packLock(text: string): Promise<Lock> {
  const packages = readLockedPackages(text);
  return {
    sha256: sha256(text),
    packages: packages.length,
    bytes: packages.reduce((sum, each) => sum + each.bytes, 0),
    text: (await promisify(gzip)(text)).toString('base64'),
  };
}

/** Resolve the packages of a hardware class into a lock with hashes, on one node of the class. */
export const resolveLock = (context: NodeContext) =>
  define(context, LockInput, async ({ run: runRef, request, hash, hardware }): Promise<Lock> => {
    const path = lockPath(context, hash);
    const there = await readFile(path, 'utf8').catch(() => null);
    if (there !== null) return packLock(there);
    await holdNode(context, runRef);
    await mkdir(context.layout.locks, { recursive: true, mode: 0o700 });
    const wanted = `${context.layout.locks}/${hash}.in`;
    const unfinished = `${context.layout.locks}/pylock.${hash}-new.toml`;
    await writeFileAtomic(wanted, `${request.packages.join('\n')}\n`, { mode: 0o600 });
    const unit = `windlass-lock-${hash}`;
    const generation = runRef.fence.run;
    await startAct(context, {
      unit,
      generation,
      step: 'lock packages',
      run: runRef,
      file: context.uv,
      args: [
        'pip',
        'compile',
        wanted,
        '--format',
        'pylock.toml',
        '--output-file',
        unfinished,
        '--python',
        request.python,
        '--quiet',
        ...indexOptions(request),
        ...(request.prerelease ? ['--prerelease', 'allow'] : []),
      ],
      env: baseEnvironment(context),
      options: { description: `windlass: lock packages for ${hardware}`, stopSeconds: 10 },
      isDone: () => hasEndedWell(context, unit, generation),
    });
    const result = await watchAct(context, unit, () => Promise.resolve({ phase: 'resolving' }), 20_000);
    if (result?.exitCode !== 0) await demandReachable(context, request);
    await demandSuccess(context, unit, result, (evidence) =>
      fail('LOCK_FAILED', { class: hardware, evidence }),
    );
    const text = await readFile(unfinished, 'utf8');
    await writeFileAtomic(path, text, { mode: 0o600 });
    await rm(unfinished, { force: true });
    return packLock(text);
  });

/** Read a lock that lies here, so that another node of the class can install exactly it. */
export const readLock = (context: NodeContext) =>
  define(context, ReadLockInput, async ({ hash }): Promise<Lock> =>
    packLock(await readFile(lockPath(context, hash), 'utf8')),
  );

/** Make a lock that arrived lie on this node, and return its text. */
export async function ensureLockFile(
  context: NodeContext,
  hash: string,
  lock: WheelsInput['lock'],
): Promise<string> {
  const path = lockPath(context, hash);
  const there = await readFile(path, 'utf8').catch(() => null);
  if (there !== null && sha256(there) === lock.sha256) return there;
  if (lock.text === undefined) throw fail('LOCK_FAILED', { class: 'this node', evidence: `${path} is gone` });
  const text = (
    await promisify(gunzip)(Buffer.from(lock.text, 'base64'), { maxOutputLength: 16 * 1024 * 1024 })
  ).toString('utf8');
  if (sha256(text) !== lock.sha256)
    throw fail('LOCK_FAILED', { class: 'this node', evidence: 'the lock that arrived has another hash' });
  await mkdir(context.layout.locks, { recursive: true, mode: 0o700 });
  await writeFileAtomic(path, text, { mode: 0o600 });
  return text;
}
