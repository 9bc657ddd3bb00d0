/** SGLang: its command line over Ray, its packages, what its log lines mean. Pure. */
import { fail } from '../errors.ts';
import { checkArguments } from './arguments.ts';
import type { Engine, EngineInput, PackagesInput } from './engine.ts';
import { allowedValues, ownedOptions, refusedOptions, sglangOptions, vllmOptions } from './sglang-options.ts';
import { isBelow } from './version.ts';

export { explainExit, readPhase } from './sglang-log.ts';

/** The first release in which `--use-ray` makes its own placement group and keeps rank 0 beside the engine. */
const rayFloor = '0.5.11';

/** From this release on the old switch for CUDA graphs is deprecated. */
const graphBackendsSince = '0.5.17';

/** Arguments after `python -m sglang.launch_server`, every option by its full name. */
export function sglangArguments(input: EngineInput): string[] {
  return [
    ...given('--model-path', input.modelPath),
    ...given('--served-model-name', input.servedName),
    ...given('--host', input.address),
    ...given('--port', input.port),
    ...given('--tp-size', input.tensor),
    ...given('--pp-size', input.pipeline),
    ...given('--nnodes', input.nodes),
    '--use-ray',
    ...given('--nccl-port', input.rendezvousPort),
    ...given('--mem-fraction-static', input.memoryFraction),
    ...given('--context-length', input.contextLength),
    ...given('--max-running-requests', input.maxRunningRequests),
    ...given('--kv-cache-dtype', input.kvCacheDtype),
    ...(input.cudaGraphs ? [] : graphsOff(input.version)),
    ...(input.trustRemoteCode ? ['--trust-remote-code'] : []),
    ...input.extraArguments,
    ...given('--config', input.configFile),
  ];
}

const given = (option: string, value: string | number | undefined): string[] =>
  value === undefined ? [] : [option, String(value)];

const graphsOff = (version: string): string[] =>
  isBelow(version, graphBackendsSince)
    ? ['--disable-cuda-graph']
    : ['--cuda-graph-backend-decode=disabled', '--cuda-graph-backend-prefill=disabled'];

/**
 * Requirements of its environment. torch and the kernel package come as dependencies of the exact release: before
 * 0.5.11, which is not brought up over Ray, they had to be replaced by hand.
 */
export function sglangPackages({ version, rayVersion, extra }: PackagesInput): string[] {
  return [`sglang==${version}`, `ray==${rayVersion}`, ...extra];
}

/** Text of the 0600 YAML file through which the engine takes its key, so that it stands on no command line. */
export function sglangApiKeyConfig(key: string): string {
  demandApiKey(key, 'its file');
  return `api-key: ${JSON.stringify(key)}\n`;
}

/** Throws SECRET_UNREADABLE for a key that the engine would take for an option, or that spans lines. */
export function demandApiKey(key: string, from: string): void {
  // The engine turns the file into arguments of its own parser, which takes a leading dash for an option.
  if (!/^[\u0021-\u002c\u002e-\u007e][\u0021-\u007e]*$/.test(key)) {
    throw fail('SECRET_UNREADABLE', {
      name: 'apiKey',
      from,
      reason: 'it must be printable ASCII without spaces, and may not begin with a dash',
    });
  }
}

/** SGLang as those see it who judge a file or a spec. */
export const sglang: Engine = {
  floor: rayFloor,
  kvCacheDtypes: ['auto', 'fp8_e4m3', 'fp8_e5m2', 'bfloat16'],
  checkArguments: (extra) =>
    checkArguments(
      {
        engine: 'sglang',
        options: sglangOptions,
        owned: ownedOptions,
        refused: refusedOptions,
        allowedValues,
        foreign: vllmOptions,
      },
      extra,
    ),
};
