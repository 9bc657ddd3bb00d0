/** What the keeper of a cluster watches, remembers and says: the contract between workflows and command line. */
import type { ClusterSpec, SpecNode } from '../config/schema.ts';
import type { RunRef } from './inputs.ts';
import type { Wait, WaitingFor } from './waits.ts';
import { waitingForOf } from './waits.ts';

/** A gang that a bring-up has left serving. */
export interface ServingGang {
  readonly spec: ClusterSpec;
  readonly run: RunRef;
  /** The head first. */
  readonly members: readonly WatchedMember[];
  readonly engineUnit: string;
}

export interface WatchedMember {
  readonly node: SpecNode;
  readonly rayUnit: string;
  /** As many ranks are watched there. */
  readonly gpus: number;
}

/** One time that the gang was lost. */
export interface Loss {
  /** Equal losses have equal ways. */
  readonly way: string;
  /** Milliseconds since 1970. */
  readonly at: number;
}

/** A gang that was lost the same way this often within this time will be lost again. */
const equalLosses = 3;
const withinMs = 60 * 60_000;

/** Losses that still count. */
export const recent = (losses: readonly Loss[], now: number): Loss[] =>
  losses.filter(({ at }) => now - at < withinMs);

/** Was the gang lost too often in the way in which it was lost last? */
export function isLostTooOften(losses: readonly Loss[]): boolean {
  const last = losses.at(-1);
  return losses.filter(({ way }) => way === last?.way).length >= equalLosses;
}

/** What a keeper knows, also after it has begun a new history. */
export interface Kept {
  readonly serving: ServingGang;
  readonly losses: readonly Loss[];
  /** The last loss that was met. */
  readonly last: LastLoss | null;
  /** Since when it watches. */
  readonly since: number;
}

export interface LastLoss {
  readonly lostAt: number;
  /** Where and how, for people. */
  readonly what: string;
  /** When the gang served again; null while it does not. */
  readonly servesAt: number | null;
}

export type KeeperState = 'watches' | 'repairs' | 'waits for another run' | 'stands by' | 'circuit open';

/** For people, where the word alone does not say it. */
export const stateInWords = (state: KeeperState): string =>
  state === 'stands by'
    ? 'stands by, as a run of somebody’s has left nothing serving; windlass up begins anew'
    : state;

/** What a keeper answers when it is asked. */
export interface KeeperStatus {
  readonly cluster: string;
  readonly state: KeeperState;
  readonly since: number;
  readonly last: LastLoss | null;
  /** Set while its circuit is open. */
  readonly waitingFor: WaitingFor | null;
}

/** What an open circuit asks of a person. */
export const circuitWaitOf = (waits: readonly Wait[]): WaitingFor | null =>
  waitingForOf(waits, () => [
    '  windlass retry FILE: start the gang again now (signal retryNode)',
    '  windlass up FILE: the same, followed to its end',
    '  windlass down FILE: give up; the keeper ends (signal cancel)',
  ]);

const time = (moment: number): string => new Date(moment).toISOString();

/** The keeper's page in the Temporal UI. */
export function keeperMarkdown({ cluster, state, since, last, waitingFor }: KeeperStatus): string {
  const lines = [
    `**${cluster}**: ${stateInWords(state)}, since ${time(since)}`,
    ...(last === null
      ? []
      : [
          `Lost ${time(last.lostAt)}: ${last.what.slice(0, 500)}`,
          last.servesAt === null ? 'It does not serve yet.' : `Serves again since ${time(last.servesAt)}.`,
        ]),
    ...(waitingFor?.what.split('\n').map((line) => line.trim().slice(0, 500)) ?? []),
  ];
  return lines.join('  \n');
}
