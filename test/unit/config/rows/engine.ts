/** Engines, versions, arguments and environments that cannot work, or should not. */
import type { Row } from './given.ts';
import { extra, serving } from './given.ts';

// One row, one line.
// prettier-ignore
export const rows: readonly Row[] = [
  ['X34 an option of vLLM', extra('--gpu-memory-utilization', '0.9'), 'extraArguments', 'serving.extraArguments[0]', 'engine.sglang has no option --gpu-memory-utilization; use serving.memoryFraction'],
  ['X34 an option that nobody has', extra('--nope'), 'extraArguments', 'serving.extraArguments[0]', 'engine.sglang has no option --nope'],
  ['the seed’s --pp', extra('--pp', '4'), 'extraArguments', 'serving.extraArguments[0]', 'use parallel.pipeline'],
  ['an abbreviation', extra('--chunked-prefill', '4'), 'extraArguments', 'serving.extraArguments[0]', 'write --chunked-prefill-size in full'],
  ['X45 --host', extra('--host', '0.0.0.0'), 'extraArguments', 'serving.extraArguments[0]', '--host is set by this program; remove it from extraArguments'],
  ['X45 --host with an equals sign', extra('--host=0.0.0.0'), 'extraArguments', 'serving.extraArguments[0]', '--host is set by this program'],
  ['X45 --trust-remote-code', extra('--trust-remote-code'), 'extraArguments', 'serving.extraArguments[0]', 'use model.trustRemoteCode'],
  ['X45 --node-rank', extra('--dtype', 'auto', '--node-rank', '7'), 'extraArguments', 'serving.extraArguments[2]', '--node-rank is set by this program'],
  ['X45 --dist-init-addr', extra('--dist-init-addr', 'evil'), 'extraArguments', 'serving.extraArguments[0]', '--dist-init-addr is set by this program'],
  ['X45 --config', extra('--config=/etc/shadow'), 'extraArguments', 'serving.extraArguments[0]', '--config is set by this program'],
  ['X45 an option that lets requests run code', extra('--enable-custom-logit-processor'), 'extraArguments', 'serving.extraArguments[0]', 'Python objects that run on the head; it is refused'],
  ['weights that run code', extra('--load-format', 'pt'), 'extraArguments', 'serving.extraArguments[0]', 'other formats can run code'],
  ['fp8 under SGLang', serving('kvCacheDtype: fp8'), 'kvCacheDtype', 'serving.kvCacheDtype', 'SGLang has no fp8; use fp8_e4m3'],
  ['SGLang before Ray', { engine: 'engine: { name: sglang, version: "0.5.10" }' }, 'engine', 'engine.version', '0.5.11 is the first that can'],
  ['a Ray with holes', { more: 'ray: { version: "2.53.1" }' }, 'ray:', 'ray.version', 'use 2.54.0 or newer'],
  ['vLLM', { engine: 'engine: { name: vllm, version: "0.30.0" }' }, 'engine', 'engine.name', 'vllm is not brought up by this version'],
  ['patience for a phase that waits for nothing', { engine: 'engine: { name: sglang, version: "0.5.21", patience: { ready: 60 } }' }, 'patience', 'engine.patience.ready', 'unknown key ready; known here: imports'],
  ['ranks', { more: 'launcher: ranks' }, 'launcher', 'launcher', 'ranks is not brought up by this version'],
  ['consent without a commit', { model: 'model: { id: owner/name, trustRemoteCode: true }' }, 'model', 'model.trustRemoteCode', 'needs a commit hash (40 digits) as revision, not main'],
  ['two Pythons', { more: 'environments:\n  spark: { python: "3.12" }\n  thor: { python: "3.11" }' }, 'thor', 'environments.thor.python', 'Ray needs the same Python on all nodes: spark has 3.12, thor 3.11'],
  ['the engine among the packages', { more: 'environments: { spark: { packages: ["sglang==0.5.9"] } }' }, 'packages', 'environments.spark.packages[0]', 'its version is engine.version'],
];
