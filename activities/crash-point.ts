/**
 * Points at which a fault test lets a node worker die. Only builds for those tests hold them: in all others the
 * bundler puts `false` in place of the switch, and nothing of this file is left.
 */
import { readFile, rm } from 'node:fs/promises';
import { activityInfo } from '@temporalio/activity';
import { readActivityId } from '../src/cluster/names.ts';
import type { NodeContext } from './context.ts';

declare global {
  var WINDLASS_CRASH_POINTS: boolean | undefined;
}

/** Die as `kill -9` does if the node's `crash-at` file names this point of this step, once. */
export async function dieAt(context: NodeContext, point: 'before-act' | 'after-act'): Promise<void> {
  const file = `${context.layout.root}/crash-at`;
  const wanted = await readFile(file, 'utf8').catch(() => '');
  const step = readActivityId(activityInfo().activityId)?.step ?? '';
  if (wanted.trim() !== `${step}/${point}`) return;
  await rm(file);
  process.kill(process.pid, 'SIGKILL');
}
