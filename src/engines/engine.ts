/** What an engine is started with, and what it must say about itself to those who judge a file or a start. Pure. */

/** The phases of a start, in their order. A start is in the first one until its log says otherwise. */
export const phases = [
  'imports',
  'arguments',
  'placement',
  'rendezvous',
  'weights',
  'kv-cache',
  'listening',
  'warm-up',
  'ready',
] as const;
export type Phase = (typeof phases)[number];

/** How an option of the command line is given. */
export type OptionKind = 'flag' | 'value' | 'list';

/** What one deployment wants from the engine; names and units are those of the cluster file. */
export interface EngineInput {
  readonly version: string;
  /** Folder of the model on the head. */
  readonly modelPath: string;
  readonly servedName: string;
  readonly address: string;
  readonly port: number;
  readonly pipeline: number;
  readonly tensor: number;
  readonly nodes: number;
  readonly rendezvousPort: number;
  readonly memoryFraction?: number | undefined;
  readonly contextLength?: number | undefined;
  readonly maxRunningRequests?: number | undefined;
  readonly kvCacheDtype?: string | undefined;
  readonly cudaGraphs: boolean;
  readonly trustRemoteCode: boolean;
  readonly extraArguments: readonly string[];
  /** A 0600 file that holds what may not stand on a command line. */
  readonly configFile?: string | undefined;
}

export interface PackagesInput {
  readonly version: string;
  readonly rayVersion: string;
  readonly extra: readonly string[];
}

/** Something wrong with one of the extra arguments. */
export interface ArgumentProblem {
  /** Its place in the list. */
  readonly index: number;
  readonly message: string;
}

export interface Engine {
  /** The oldest version that can be started over Ray. */
  readonly floor: string;
  /** Types of the KV cache, as the engine spells them. */
  readonly kvCacheDtypes: readonly string[];
  /** Judge arguments that a person wrote. */
  readonly checkArguments: (extra: readonly string[]) => ArgumentProblem[];
}
