/** What a fault is, as data. The tables under `table/` are lists of these; one runner knows how to run them all. */
import type { ErrorCode } from '../../src/errors.ts';
import type { Running, Scene } from './scene.ts';

/** Where a fault begins: what of a bring-up is true already. */
export type State =
  /** Hosts that have never seen windlass. */
  | 'fresh'
  /** Home and node workers stand; the second node has neither environment nor model. */
  | 'placed'
  /** Everything is on the nodes; nothing serves. */
  | 'prepared'
  /** The cluster answers. */
  | 'serving';

export type Group = 'A' | 'B' | 'C' | 'D' | 'E' | 'F';
export type CrashPoint = 'before' | 'during' | 'after';

/** The invariants that a case judges by itself or through the runner; I1, I2 and I8 are judged after every case. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5' | 'I6' | 'I7' | 'I8' | 'I9';

/** How the command that the fault hits must end. */
export interface Expectation {
  readonly exit: number;
  readonly code?: ErrorCode;
  /** Name of the node that the message must name. */
  readonly node?: string;
  /** Seconds from the injection to the command's end. */
  readonly within: number;
}

/** How a command ended. */
export interface Outcome {
  readonly exit: number;
  readonly seconds: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Fault {
  readonly id: string;
  readonly group: Group;
  readonly step: string;
  readonly crashPoint?: CrashPoint;
  readonly title: string;
  readonly invariants: readonly Invariant[];
  readonly start: State;
  /** Does the harm, having seen that the act is where it is to be hit. Returns the command whose end is judged. */
  readonly inject: (scene: Scene) => Promise<Running>;
  /** Ends the harm while the command still runs, where the command is to survive it. */
  readonly relieve?: (scene: Scene) => Promise<void>;
  readonly expect: Expectation;
  /** What only this fault can tell; throws a sentence where it is not as it must be. */
  readonly judge?: (scene: Scene, outcome: Outcome) => Promise<void>;
  /** Ends the harm after the judgement; what every fault of hosts and servers needs is done anyway. */
  readonly heal?: (scene: Scene) => Promise<void>;
}

/** `F43 install wheels/during`: how a fault is named to people. */
export const titleOf = ({ id, step, crashPoint }: Fault): string =>
  `${id} ${step}${crashPoint === undefined ? '' : `/${crashPoint}`}`;
