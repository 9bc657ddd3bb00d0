// The kinds of line that SGLang over Ray was seen to print from its start to its readiness, and at its end.

import type { LogKind } from './compare-log.ts';

const stamped = (text: string): RegExp =>
  new RegExp(String.raw`^\[\d{4}-\d\d-\d\d [\d:]{8}(?: DP0 PP\d+)?\] ${text}`);

const launcher = (name: string, pattern: RegExp, times?: LogKind['times']): LogKind => ({
  from: 'launcher',
  name,
  pattern,
  ...(times && { times }),
});

const rank = (name: string, pattern: RegExp, times?: LogKind['times']): LogKind => ({
  from: 'every rank',
  name,
  pattern,
  ...(times && { times }),
});

const firstRank = (name: string, pattern: RegExp, times?: LogKind['times']): LogKind => ({
  ...rank(name, pattern, times),
  from: 'first rank',
});

/** From the start of the launcher until it is ready (and requests afterwards). */
export const startKinds: readonly LogKind[] = [
  launcher('older entry point', /UserWarning: 'python -m sglang\.launch_server' is still supported/),
  launcher('how to start instead', /^ {2}Example: sglang serve/),
  launcher('source line of the warning', /^ {2}warnings\.warn\($/),
  launcher('deprecated flag', /^'--disable-cuda-graph' is deprecated and will be removed/, 'maybe'),
  launcher('no overlap schedule', stamped('Pipeline parallelism is incompatible with overlap schedule')),
  launcher('file limit', stamped('Fail to set RLIMIT_NOFILE'), 'maybe'),
  launcher('arguments', stamped(String.raw`server_args=ServerArgs\(model_path=`)),
  launcher('Ray address', /INFO worker\.py:\d+ -- Using address .+ RAY_ADDRESS/),
  launcher('connecting to Ray', /INFO worker\.py:\d+ -- Connecting to existing Ray cluster/),
  launcher('connected to Ray', /INFO worker\.py:\d+ -- Connected to Ray cluster/),
  launcher(
    'placement group',
    stamped(String.raw`No placement group detected\. Auto-creating one with \d+ bundle`),
  ),
  launcher('rendezvous address', stamped(String.raw`dist_init_addr: [\d.]+:\d+$`)),
  launcher('world', stamped(String.raw`Ray cluster \(auto PG\): \d+ nodes, 1 GPUs/node, world_size=\d+$`)),
  launcher('chat template', stamped('Using default HuggingFace chat template')),
  launcher('timings', stamped(String.raw`Engine startup timings \(s\): load_weight=`)),
  launcher('server process', stamped(String.raw`INFO: {5}Started server process`)),
  launcher('application starts', stamped(String.raw`INFO: {5}Waiting for application startup`)),
  launcher('fallback tokens', stamped('Using fallback token IDs for yes/no')),
  launcher('application started', stamped(String.raw`INFO: {5}Application startup complete`)),
  launcher('listens', stamped(String.raw`INFO: {5}Uvicorn running on http://`)),
  launcher('own description', stamped(String.raw`INFO: {5}\S+ - "GET /model_info HTTP/1\.1" 200`), 'again'),
  launcher('warm-up', stamped(String.raw`INFO: {5}\S+ - "POST /generate HTTP/1\.1" 200`), 'again'),
  launcher('ready', stamped('The server is fired up and ready to roll!$')),
  launcher('request', stamped(String.raw`INFO: {5}\S+ - "(?:GET|POST) \S+ HTTP/1\.1" \d+`), 'maybe'),
  launcher(
    'about Ray itself',
    /INFO worker\.py:\d+ -- Ray|^\((?:raylet|pid=\w+)[^)]*\)|Tip: In future versions of Ray/,
    'maybe',
  ),

  rank('no overlap schedule', /^Pipeline parallelism is incompatible with overlap schedule/),
  rank('rendezvous begins', stamped('Init torch distributed begin')),
  rank(
    'client socket',
    /^\[W\d{4} [\d:.]+ socket\.cpp:\d+\] \[c10d\] The hostname of the client socket cannot/,
  ),
  firstRank('NCCL of SGLang', stamped('sglang is using nccl==')),
  firstRank('NCCL version', /^NCCL version /, 'somewhere'),
  rank('rendezvous ends', stamped(String.raw`Init torch distributed ends\. elapsed=.* s, mem usage=.* GB`)),
  rank('weights begin', stamped(String.raw`Load weight begin\. avail mem=`)),
  firstRank('shards', /^Multi-thread loading shards: +\d+% Completed \| \d+\/\d+ \[/, 'again'),
  rank('tensor of another stage', stamped(String.raw`Parameter \S+ not found in params_dict`), 'again'),
  rank('weights end', stamped(String.raw`Load weight end\. elapsed=.* s, type=LlamaForCausalLM, avail mem=`)),
  rank(
    'KV cache',
    stamped(String.raw`KV Cache is allocated\. dtype: torch\.bfloat16, #tokens: \d+, K size: `),
  ),
  rank('memory pool', stamped(String.raw`Memory pool end\. avail mem=`)),
  rank('no graphs', stamped('Disable prefill CUDA graph because')),
  rank(
    'limits',
    stamped(String.raw`max_total_num_tokens=\d+, chunked_prefill_size=\d+, .*available_gpu_mem=`),
  ),
  rank('tree cache', stamped('Tree cache initialized: ')),
  rank(
    'buffer warning',
    /parallel_state\.py:\d+: UserWarning: The given buffer is not writable/,
    'somewhere',
  ),
  rank('its source line', /^ {2}object_tensor = torch\.frombuffer/, 'somewhere'),
  rank(
    'unbatched send',
    /^\[rank\d+\]:\[W.*ProcessGroupNCCL\.cpp:\d+\] Warning: An unbatched P2P op/,
    'somewhere',
  ),
  rank('prefill', stamped('Prefill batch, #new-seq: 1, #new-token: '), 'again'),
  rank('decode', stamped('Decode batch, #running-req: '), 'maybe'),
];

/** What follows a SIGTERM to a launcher that serves. */
export const stopKinds: readonly LogKind[] = [
  launcher('SIGTERM', stamped(String.raw`SIGTERM received\. signum=None frame=None\. Draining requests`)),
  launcher('detokenizer', stamped(String.raw`Subprocess detokenizer \(pid=\d+\) crashed with exit code -15`)),
  launcher('SIGQUIT', stamped(String.raw`SIGQUIT received\. signum=None, frame=None\.`)),
  launcher('rest', stamped('Sleeping 5 seconds before crash diagnostics')),
  launcher('no ranks here', stamped('No live scheduler processes found')),
  launcher('kill', stamped(String.raw`kill_process_tree called: parent_pid=\d+, include_parent=True`)),
];
