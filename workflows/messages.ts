/** Queries and signals of a run. Every operator action is a signal, since tctl and the UI know no updates there. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Board, BoardRow } from '../src/cluster/board.ts';
import type { KeeperStatus, ServingGang } from '../src/cluster/keeper.ts';
import type { ClusterSpec } from '../src/config/schema.ts';

/** Typed by hand, so it may hold anything. */
type ForNode = [input?: { readonly node?: string }];

export const statusQuery = defineQuery<Board>('status');
/** The same name for every run: who asks knows the run by its id. */
export const keeperQuery = defineQuery<KeeperStatus>('status');
export const specQuery = defineQuery<ClusterSpec>('spec');
/** Sent by a person: look again at once at whatever the run waits for. */
export const retrySignal = defineSignal<ForNode>('retryNode');
/** Sent by a person: go on despite what the run waits for. */
export const approveSignal = defineSignal<ForNode>('approve');
/** Sent by a person: end the run. The twin of Temporal's own cancel, for those who have signals only. */
export const cancelSignal = defineSignal('cancel');
/** Sent by `prepareNode` to the run that started it. */
export const rowSignal = defineSignal<[BoardRow]>('stepReported');
/** Sent by a bring-up to the keeper of its cluster. */
export const servingSignal = defineSignal<[ServingGang]>('serving');
