/**
 * SGLang's command line as data: every option of the 0.5.2x line and how it is given, which ones this program sets
 * itself, and which ones it refuses and why. Wrong arguments cost the engine 15 s of imports, so they are told before.
 */
import type { OptionTable } from './arguments.ts';
import type { OptionKind } from './engine.ts';
import { sglangOptionNames } from './sglang-option-names.ts';

/** Every option by its full name. */
export const sglangOptions: ReadonlyMap<string, OptionKind> = new Map(
  (['flag', 'value', 'list'] as const).flatMap((kind) =>
    sglangOptionNames[kind].map((name): [string, OptionKind] => [`--${name}`, kind]),
  ),
);

/** Options that this program sets, and the field of the cluster file to use instead. */
export const ownedOptions: Readonly<Record<string, string>> = {
  '--model-path': 'model',
  '--model': 'model',
  '--revision': 'model.revision',
  '--trust-remote-code': 'model.trustRemoteCode',
  '--served-model-name': 'serving.servedName',
  '--host': 'serving.address',
  '--port': 'serving.port',
  '--mem-fraction-static': 'serving.memoryFraction',
  '--context-length': 'serving.contextLength',
  '--max-running-requests': 'serving.maxRunningRequests',
  '--kv-cache-dtype': 'serving.kvCacheDtype',
  '--disable-cuda-graph': 'serving.cudaGraphs',
  '--nccl-port': 'serving.rendezvousPort',
  '--dist-init-addr': 'serving.rendezvousPort',
  '--nccl-init-addr': 'serving.rendezvousPort',
  '--tp-size': 'parallel.tensor',
  '--tensor-parallel-size': 'parallel.tensor',
  '--pp-size': 'parallel.pipeline',
  '--pipeline-parallel-size': 'parallel.pipeline',
  '--nnodes': 'nodes',
  '--node-rank': 'nodes',
  '--use-ray': 'launcher',
  '--api-key': 'secrets.apiKey',
  '--admin-api-key': 'secrets.apiKey',
  '--config': 'serving',
};

const runsCode = 'would run code that was not reviewed with this cluster';
const notHttp = 'would take the place of the plain HTTP API, which the smoke test asks';

/** Options that are refused whatever their value, and why. */
export const refusedOptions: Readonly<Record<string, string>> = {
  '--enable-custom-logit-processor': 'lets requests bring Python objects that run on the head',
  '--trust-request-chat-template': 'lets requests bring templates that run on the head',
  '--custom-weight-loader': runsCode,
  '--forward-hooks': runsCode,
  '--sidecar': runsCode,
  '--sidecar-args': runsCode,
  '--gated-launch-port': 'would hold every rank until somebody calls that port, which asks for no key',
  '--ssl-keyfile-password': 'would put a password on a command line',
  '--ssl-keyfile': notHttp,
  '--ssl-certfile': notHttp,
  '--grpc-mode': notHttp,
  '--smg-grpc-mode': notHttp,
  '--dp-size': 'starts more ranks than pipeline × tensor; data parallelism is not brought up by this version',
  '--data-parallel-size':
    'starts more ranks than pipeline × tensor; data parallelism is not brought up by this version',
};

/** Values that are allowed, where others would be dangerous or would hide the readiness of the engine. */
const safeFormats = {
  values: ['auto', 'safetensors', 'fastsafetensors', 'layered', 'sharded_state', 'dummy'],
  why: 'other formats can run code while they are read',
};
export const allowedValues: OptionTable['allowedValues'] = {
  '--load-format': safeFormats,
  '--speculative-draft-load-format': safeFormats,
  '--log-level': { values: ['info', 'debug'], why: 'readiness is read from the log' },
};

/** Options of vLLM that people reach for, and the field that means the same. */
export const vllmOptions: Readonly<Record<string, string>> = {
  '--gpu-memory-utilization': 'serving.memoryFraction',
  '--max-model-len': 'serving.contextLength',
  '--max-num-seqs': 'serving.maxRunningRequests',
  '--enforce-eager': 'serving.cudaGraphs: false',
  '--distributed-executor-backend': 'launcher',
  '--enable-chunked-prefill': 'serving.extraArguments with --chunked-prefill-size',
  '--max-num-batched-tokens': 'serving.extraArguments with --chunked-prefill-size',
};
