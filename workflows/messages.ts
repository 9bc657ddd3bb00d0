/** Queries and signals of a run. Every operator action is a signal, since tctl and the UI know no updates there. */
import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { Board, BoardRow } from '../src/cluster/board.ts';
import type { ClusterSpec } from '../src/config/schema.ts';

export const statusQuery = defineQuery<Board>('status');
export const specQuery = defineQuery<ClusterSpec>('spec');
/** Sent by a person: look again at once at whatever the run waits for. */
export const retrySignal = defineSignal<[{ node?: string }?]>('retryNode');
/** Sent by `prepareNode` to the run that started it. */
export const rowSignal = defineSignal<[BoardRow]>('stepReported');
