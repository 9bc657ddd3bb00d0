/** What a finished run says: the contract between workflow and command line. */
import type { StepName } from './board.ts';
import type { CheckResult } from './checks/check.ts';

export interface BringUpReport {
  readonly cluster: string;
  readonly run: string;
  /** Acts that changed something; 0 means that all was as it should be. */
  readonly changes: number;
  /** Id of the run that watches the cluster from now on; null where the cluster file switches it off. */
  readonly keeper: string | null;
  readonly api: {
    readonly address: string;
    readonly port: number;
    readonly servedName: string;
    readonly open: boolean;
  };
  readonly answer: {
    readonly prompt: string;
    readonly text: string;
    readonly tokens: number;
    readonly answerMs: number;
    readonly firstTokenMs: number;
    readonly at: number;
  };
  readonly nodes: readonly {
    readonly name: string;
    readonly address: string;
    readonly hardware: string;
    /** Ranks that were seen alive on this node. */
    readonly ranks: number;
  }[];
  readonly phases: readonly {
    readonly step: StepName;
    readonly seconds: number;
    readonly changed: boolean;
  }[];
  /** What the checks found not to be well, and not to stand in the way. A run of an older version tells of none. */
  readonly warnings?: readonly CheckResult[];
}

export interface TearDownReport {
  readonly cluster: string;
  readonly changes: number;
  readonly stopped: readonly { readonly node: string; readonly what: string }[];
}
