/** Stage the model where Hugging Face's tools look for it, or check a folder that the owner named. */
import { mkdir, readFile, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ModelInput } from '../src/cluster/inputs.ts';
import { expandHome } from '../src/cluster/layout.ts';
import { pickledWeights } from '../src/cluster/models.ts';
import { ModelMarker } from '../src/cluster/state.ts';
import { fail } from '../src/errors.ts';
import { readRecord, writeFileAtomic } from '../src/process/files.ts';
import type { ActProgress } from '../src/cluster/act-progress.ts';
import type { Changed } from './acts.ts';
import { demandSuccess, hasEndedWell, logOf, logTail, runFolder, startAct, watchAct } from './acts.ts';
import type { NodeContext } from './context.ts';
import { baseEnvironment } from './context.ts';
import { refusalIn } from './model-refusal.ts';
import { define } from './define.ts';
import { holdNode } from './ownership.ts';
import { whyUnreachable } from './reach.ts';
import { demandRoom } from './room.ts';
import { folderBytes } from './sizes.ts';

/** Version of the hub's client; it has an environment of its own, so staging need not wait for the serving one. */
const hubClient = 'huggingface_hub==1.16.1';

const Staged = z.object({ commit: z.string(), path: z.string(), files: z.number(), bytes: z.number() });
type HubInput = Extract<ModelInput['model'], { id: string }>;

/** Make the model lie complete on this node; the proof is that every file has the size the hub states. */
export const stageModel = (context: NodeContext) =>
  define(context, ModelInput, async (input): Promise<Changed & { marker: ModelMarker }> => {
    const markerPath = `${context.layout.models}/${input.key}.json`;
    const found = await readRecord(markerPath, ModelMarker);
    if (found && (input.commit === undefined || found.commit === input.commit) && (await isComplete(found))) {
      return { changed: false, marker: found };
    }
    const { model } = input;
    const marker =
      'path' in model ? await checkFolder(context, input, model.path) : await download(context, input, model);
    await holdNode(context, input.run);
    await mkdir(context.layout.models, { recursive: true, mode: 0o700 });
    await writeFileAtomic(markerPath, JSON.stringify(marker), { mode: 0o600 });
    return { changed: !('path' in model), marker, what: `staged ${marker.model}` };
  });

/** Resolve a branch or tag to its commit, once, so that every node stages the same. */
export const resolveModel = (context: NodeContext) =>
  define(context, ModelInput, async (input): Promise<{ commit: string }> => {
    const { model } = input;
    if ('path' in model) throw fail('SPEC_INVALID', { problems: 'a model given by path has no revision' });
    const unit = `windlass-commit-${input.key}`;
    await runClient(
      context,
      input,
      model,
      unit,
      [...pickleFlag(input), '--', model.id, model.revision],
      'resolve model',
      () => Promise.resolve({}),
    );
    const line = (await logTail(logOf(context, unit), 8_192))
      .split('\n')
      .findLast((each) => each.startsWith('{"commit"'));
    return Announced.parse(JSON.parse(line ?? '{}'));
  });

const Announced = z.object({ commit: z.string().regex(/^[0-9a-f]{40}$/), bytes: z.number() });

async function isComplete(marker: ModelMarker): Promise<boolean> {
  const now = await measure(marker.path);
  return now.files === marker.files && now.bytes === marker.bytes;
}

/** Files and bytes below a folder, links followed: a snapshot consists of links into the blob store. */
async function measure(folder: string): Promise<{ files: number; bytes: number }> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    entries.map((entry) =>
      stat(join(entry.parentPath, entry.name)).then(
        (info) => (info.isFile() ? info.size : null),
        () => null,
      ),
    ),
  );
  const files = sizes.filter((size) => size !== null);
  return { files: files.length, bytes: files.reduce((sum, size) => sum + size, 0) };
}

const Index = z.object({ weight_map: z.record(z.string(), z.string()) });

const pickleFlag = ({ allowPickle }: ModelInput): string[] => (allowPickle ? ['--allow-pickle'] : []);

/** A folder of the owner's: it must have a configuration, and every shard that its index names. */
async function checkFolder(context: NodeContext, input: ModelInput, path: string): Promise<ModelMarker> {
  const { key, allowPickle } = input;
  const folder = expandHome(path, context.homeDirectory);
  await demandOwnFolder(folder);
  const config = await stat(join(folder, 'config.json')).catch(() => null);
  if (!config) throw fail('MODEL_INCOMPLETE', { path: folder, difference: 'config.json is missing' });
  const indexText = await readFile(join(folder, 'model.safetensors.index.json'), 'utf8').catch(() => null);
  if (indexText !== null) {
    const shards = new Set(Object.values(Index.parse(JSON.parse(indexText)).weight_map));
    for (const shard of shards) {
      if (!(await stat(join(folder, shard)).catch(() => null))) {
        throw fail('MODEL_INCOMPLETE', { path: folder, difference: `${shard} is missing` });
      }
    }
  }
  const pickled = allowPickle ? null : pickledWeights(await readdir(folder, { recursive: true }));
  if (pickled !== null) throw fail('MODEL_PICKLED', { model: folder, file: pickled });
  return { key, model: path, commit: null, path: folder, ...(await measure(folder)), at: Date.now() };
}

/** What another user may change would be loaded here as this one. */
async function demandOwnFolder(folder: string): Promise<void> {
  const info = await stat(folder).catch(() => null);
  const isOwn = info?.uid === 0 || info?.uid === process.getuid?.();
  if (info && (!isOwn || (info.mode & 0o002) !== 0)) {
    throw fail('MODEL_FOREIGN', { path: folder, uid: info.uid, mode: (info.mode & 0o7777).toString(8) });
  }
}

/** Run a script with the hub's own client, in a small environment that uv keeps for it. */
async function runClient(
  context: NodeContext,
  input: ModelInput,
  model: HubInput,
  unit: string,
  args: readonly string[],
  step: string,
  progress: () => Promise<ActProgress>,
): Promise<void> {
  const tokenPath = `${context.layout.secrets}/huggingFaceToken`;
  const client = ['--python', input.python, '--default-index', input.index, '--with', hubClient];
  const generation = input.run.fence.run;
  const cache = `${context.homeDirectory}/.cache/huggingface`;
  await startAct(context, {
    unit,
    generation,
    step,
    run: input.run,
    file: context.uv,
    args: [
      'run',
      '--no-project',
      '--isolated',
      ...client,
      'python',
      `${context.payload}/scripts/stage_model.py`,
      ...args,
    ],
    env: {
      ...baseEnvironment(context),
      HF_ENDPOINT: model.endpoint,
      HF_HUB_DISABLE_TELEMETRY: '1',
      HF_HUB_DISABLE_PROGRESS_BARS: '1',
      ...(input.withToken ? { HF_TOKEN_PATH: tokenPath } : { HF_HUB_DISABLE_IMPLICIT_TOKEN: '1' }),
    },
    ...(input.withToken && { secretFiles: [tokenPath] }),
    writesTo: [cache],
    options: { description: `windlass: ${step} ${model.id}`, stopSeconds: 10 },
    isDone: () => hasEndedWell(context, unit, generation),
  });
  const result = await watchAct(context, unit, progress, 20_000);
  if (result?.exitCode !== 0) {
    await demandRoom(cache);
    for (const server of [input.index, model.endpoint]) {
      const reason = await whyUnreachable(context, server);
      if (reason !== null) throw fail('INDEX_UNREACHABLE', { index: server, reason });
    }
  }
  await demandSuccess(context, unit, result, (evidence, log) => explain(input, model, evidence, log));
}

async function download(context: NodeContext, input: ModelInput, model: HubInput): Promise<ModelMarker> {
  const unit = `windlass-model-${input.key}`;
  const resultPath = `${runFolder(context, unit)}/staged.json`;
  const blobs = `${context.homeDirectory}/.cache/huggingface/hub/models--${model.id.replace('/', '--')}/blobs`;
  let totalBytes: number | undefined;
  await runClient(
    context,
    input,
    model,
    unit,
    [...pickleFlag(input), '--', model.id, input.commit ?? model.revision, resultPath],
    'stage model',
    async () => {
      totalBytes ??= await announcedBytes(logOf(context, unit));
      return { bytes: await folderBytes(blobs), ...(totalBytes !== undefined && { totalBytes }) };
    },
  );
  const staged = Staged.parse(JSON.parse(await readFile(resultPath, 'utf8')));
  return {
    key: input.key,
    model: model.id,
    commit: staged.commit,
    path: staged.path,
    ...(await measure(staged.path)),
    at: Date.now(),
  };
}

async function announcedBytes(log: string): Promise<number | undefined> {
  const line = (await logTail(log, 8_192)).split('\n').find((each) => each.startsWith('{"commit"'));
  return line === undefined ? undefined : Announced.parse(JSON.parse(line)).bytes;
}

function explain(input: ModelInput, model: HubInput, evidence: string, log: string): Error {
  const last = refusalIn(evidence);
  if (last.startsWith('GATED')) return fail('MODEL_GATED', { model: model.id });
  if (last.startsWith('NOT_FOUND'))
    return fail('MODEL_NOT_FOUND', { model: model.id, revision: input.commit ?? model.revision });
  if (last.startsWith('PICKLED'))
    return fail('MODEL_PICKLED', { model: model.id, file: last.replace('PICKLED ', '').split('\n')[0] });
  return fail('MODEL_FAILED', { model: model.id, evidence, log });
}
