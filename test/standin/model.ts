// Makes the tiny model that the stand-in hub serves: a Llama in shape only (8 layers), the same bytes every time.

import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const LAYERS = 8;
const SHARDS = 4;
const HIDDEN = 256;
const INTERMEDIATE = 512;
const HEADS = 4;
const KEY_VALUE_HEADS = 2;
const VOCABULARY = 512;

// What the model can say. Its weights decide the order, so an answer is nonsense that depends on them.
const WORDS =
  `the a of and to in is it by on with for at from as we they she he you one two three four wind wave rope
chain deck sail mast anchor harbour tide crew captain storm calm north south east west star moon night dawn fog rain
salt sea ship boat oar hull keel bow stern helm watch bell song light pull hoist haul turn hold drop rise fall steady
slow fast strong deep cold warm long old new good more less here there now then again always never soon`
    .split(/\s+/)
    .filter((word) => word !== '');
const SPECIAL = ['<s>', '</s>', '<|user|>', '<|assistant|>', '<|system|>'];

/** A revision of the tiny model: its commit hash follows from its content. */
export interface TinyModel {
  readonly id: string;
  readonly commit: string;
  readonly folder: string;
}

/** The id under which the hub serves the tiny model. */
export const tinyModelId = 'windlass/tiny-llama';

/**
 * Write both revisions of the tiny model below `modelsDir` (`<id>/<commit>/…`) and `refs.json`, which names the
 * newer one `main`, the older one `v1`, and `pickled` a third whose weights are not safetensors. Returns the two, oldest first.
 */
export async function makeTinyModels(modelsDir: string): Promise<readonly [TinyModel, TinyModel]> {
  const whole = (seed: string) => writeRevision(modelsDir, { ...describeModel(), ...makeShards(seed) });
  const older = await whole('first');
  const newer = await whole('second');
  const pickled = await writeRevision(modelsDir, {
    ...describeModel(),
    'pytorch_model.bin': noise('pickled', 4_096),
  });
  const refs = { main: newer.commit, v1: older.commit, pickled: pickled.commit };
  await writeFile(join(modelsDir, tinyModelId, 'refs.json'), JSON.stringify(refs));
  return [older, newer];
}

async function writeRevision(
  modelsDir: string,
  files: Readonly<Record<string, string | Buffer>>,
): Promise<TinyModel> {
  const hash = createHash('sha1');
  for (const [name, content] of Object.entries(files)) hash.update(name).update('\0').update(content);
  const commit = hash.digest('hex');
  const folder = join(modelsDir, tinyModelId, commit);
  await mkdir(folder, { recursive: true });
  await Promise.all(Object.entries(files).map(([name, content]) => writeFile(join(folder, name), content)));
  return { id: tinyModelId, commit, folder };
}

function describeModel(): Record<string, string> {
  const config = {
    architectures: ['LlamaForCausalLM'],
    model_type: 'llama',
    hidden_size: HIDDEN,
    intermediate_size: INTERMEDIATE,
    num_hidden_layers: LAYERS,
    num_attention_heads: HEADS,
    num_key_value_heads: KEY_VALUE_HEADS,
    vocab_size: VOCABULARY,
    max_position_embeddings: 2048,
    torch_dtype: 'bfloat16',
    tie_word_embeddings: false,
    bos_token_id: 0,
    eos_token_id: 1,
    standin_words: [SPECIAL.length, SPECIAL.length + WORDS.length],
  };
  return {
    'config.json': pretty(config),
    'generation_config.json': pretty({ bos_token_id: 0, eos_token_id: 1 }),
    'tokenizer.json': pretty(describeTokenizer()),
    'tokenizer_config.json': pretty({ tokenizer_class: 'PreTrainedTokenizerFast', eos_token: '</s>' }),
    'README.md': '# A tiny model for a lab without GPUs\n\nIt has the shape of a Llama and says nonsense.\n',
  };
}

function describeTokenizer(): object {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`,
  );
  const tokens = [...SPECIAL, ...WORDS.map((word) => `\u0120${word}`), ...bytes];
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const added = SPECIAL.map((content, id) => ({ id, content, special: true }));
  return { version: '1.0', added_tokens: added, model: { type: 'BPE', vocab, merges: [] } };
}

function makeShards(seed: string): Record<string, string | Buffer> {
  const shards = Array.from({ length: SHARDS }, (_, shard) => tensorsOf(shard));
  const name = (shard: number): string =>
    `model-${String(shard + 1).padStart(5, '0')}-of-${String(SHARDS).padStart(5, '0')}.safetensors`;
  const files = Object.fromEntries(shards.map((tensors, shard) => [name(shard), packShard(tensors, seed)]));
  const weightMap = Object.fromEntries(
    shards.flatMap((tensors, shard) => Object.keys(tensors).map((tensor) => [tensor, name(shard)])),
  );
  const total = shards
    .flatMap((tensors) => Object.values(tensors))
    .reduce((sum, shape) => sum + sizeOf(shape), 0);
  const index = pretty({ metadata: { total_size: total }, weight_map: weightMap });
  return { ...files, 'model.safetensors.index.json': index };
}

type Shape = readonly number[];

/** Tensors of a shard: two layers each, the embedding with the first and the head with the last. */
function tensorsOf(shard: number): Record<string, Shape> {
  const keyValue = (HIDDEN / HEADS) * KEY_VALUE_HEADS;
  const perShard = LAYERS / SHARDS;
  const layers = Array.from({ length: perShard }, (_, offset) => shard * perShard + offset).map((layer) => {
    const prefix = `model.layers.${layer}`;
    return {
      [`${prefix}.input_layernorm.weight`]: [HIDDEN],
      [`${prefix}.self_attn.q_proj.weight`]: [HIDDEN, HIDDEN],
      [`${prefix}.self_attn.k_proj.weight`]: [keyValue, HIDDEN],
      [`${prefix}.self_attn.v_proj.weight`]: [keyValue, HIDDEN],
      [`${prefix}.self_attn.o_proj.weight`]: [HIDDEN, HIDDEN],
      [`${prefix}.post_attention_layernorm.weight`]: [HIDDEN],
      [`${prefix}.mlp.gate_proj.weight`]: [INTERMEDIATE, HIDDEN],
      [`${prefix}.mlp.up_proj.weight`]: [INTERMEDIATE, HIDDEN],
      [`${prefix}.mlp.down_proj.weight`]: [HIDDEN, INTERMEDIATE],
    };
  });
  return {
    ...(shard === 0 && { 'model.embed_tokens.weight': [VOCABULARY, HIDDEN] }),
    ...Object.assign({}, ...layers),
    ...(shard === SHARDS - 1 && { 'model.norm.weight': [HIDDEN], 'lm_head.weight': [VOCABULARY, HIDDEN] }),
  };
}

function sizeOf(shape: Shape): number {
  return 2 * shape.reduce((product, size) => product * size, 1);
}

function packShard(tensors: Record<string, Shape>, seed: string): Buffer {
  let at = 0;
  const header: Record<string, object> = { __metadata__: { format: 'pt' } };
  for (const [name, shape] of Object.entries(tensors)) {
    header[name] = { dtype: 'BF16', shape, data_offsets: [at, (at += sizeOf(shape))] };
  }
  const json = Buffer.from(JSON.stringify(header).padEnd(Math.ceil(JSON.stringify(header).length / 8) * 8));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  return Buffer.concat([
    length,
    json,
    ...Object.entries(tensors).map(([name, shape]) => noise(`${seed}/${name}`, sizeOf(shape))),
  ]);
}

/** Bytes that follow from a name and do not compress. */
function noise(name: string, size: number): Buffer {
  return createHash('shake256', { outputLength: size }).update(name).digest();
}

function pretty(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
