/** Names for the wanted model: the key of its marker, its served name, and the path that the engine is given. Pure. */
import type { ClusterSpec } from '../config/schema.ts';
import { digest } from './hash.ts';

type WithModel = Pick<ClusterSpec, 'model' | 'serving'>;

/** Names the marker of the model on a node. */
export function modelKey(spec: WithModel): string {
  const { model } = spec;
  return digest({
    ...('path' in model
      ? { path: model.path }
      : { id: model.id, revision: model.revision, endpoint: model.endpoint }),
    // What was staged with this consent is not there for a file without it.
    ...(model.allowPickle && { allowPickle: true }),
  });
}

/** The first of the weights whose loading can run code, where a model has no others; else null. */
export function pickledWeights(files: readonly string[]): string | null {
  if (files.some((name) => name.endsWith('.safetensors'))) return null;
  const pickled = files.filter((name) => /\.(?:bin|pt|pth|ckpt|pkl|pickle|gguf)$/.test(name));
  return pickled.toSorted()[0] ?? null;
}

/** The name that the API lists. */
export function servedName(spec: WithModel): string {
  const { model, serving } = spec;
  if (serving.servedName !== undefined) return serving.servedName;
  return 'path' in model ? (model.path.split('/').findLast((part) => part !== '') ?? model.path) : model.id;
}

/** How people call the model. */
export function modelTitle(spec: WithModel): string {
  return 'path' in spec.model ? spec.model.path : spec.model.id;
}
