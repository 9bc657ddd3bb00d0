/** Proxies of the node workers' activities. Limits carry their reasons; a queue is a machine, so a wait is durable. */
import type { ActivityOptions } from '@temporalio/workflow';
import { proxyActivities } from '@temporalio/workflow';
import type { ActActivities, ProbeActivities } from '../activities/index.ts';
import type { ControlActivities } from '../workers/control-activities.ts';
import type { StepName } from '../src/cluster/board.ts';
import { actQueue, activityIdOf, controlQueue, probeQueue } from '../src/cluster/names.ts';
import type { SpecNode } from '../src/config/schema.ts';

/** A worker that died is noticed after this; emulated and loaded machines may pause for some seconds. */
const heartbeatTimeout = '15 seconds';

/**
 * A cancelled run is over when its acts are: what follows finds nothing half stopped. A machine that is gone cannot
 * hold it up: the heartbeat limit closes the task of a dead worker, and a task that nobody took is closed at once.
 */
const whenOver = 'WAIT_CANCELLATION_COMPLETED';

/** Acts on a node. Attempts are not limited, since restarts of a worker use them up; the whole time is. */
export function acts(node: SpecNode, step: StepName, detail = ''): ActActivities {
  return proxyActivities<ActActivities>({
    taskQueue: actQueue(node.id),
    activityId: activityIdOf(step, node.name),
    heartbeatTimeout,
    startToCloseTimeout: '12 hours',
    scheduleToCloseTimeout: '24 hours',
    cancellationType: whenOver,
    summary: `${node.name} · ${step}${detail === '' ? '' : ` · ${detail}`}`.slice(0, 200),
    retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
  });
}

/**
 * The first look at a node: says within the limit that nobody takes the task, which the server never retries. It
 * changes nothing and is over within a minute, so a cancelled run does not wait for it.
 */
export function look(node: SpecNode): Pick<ProbeActivities, 'observeNode'> {
  return proxyActivities<ProbeActivities>({
    taskQueue: probeQueue(node.id),
    activityId: activityIdOf('observe', node.name),
    startToCloseTimeout: '50 seconds',
    scheduleToStartTimeout: '60 seconds',
    summary: `${node.name} · observe`,
    retry: { initialInterval: '1 second', maximumInterval: '10 seconds', maximumAttempts: 10 },
  });
}

/** Watches, beside a running act. */
export function probes(
  node: SpecNode,
  what: string,
): Omit<ProbeActivities, 'observeNode' | 'watchRank' | 'watchServer' | 'stopGangUnits'> {
  return proxyActivities<ProbeActivities>(probing(node, what));
}

/** A stop, beside a running act: says within the limit that nobody takes the task, so that somebody hears of it. */
export function stops(node: SpecNode): Pick<ProbeActivities, 'stopGangUnits'> {
  return proxyActivities<ProbeActivities>({
    ...probing(node, 'stop'),
    scheduleToStartTimeout: '60 seconds',
  });
}

const probing = (node: SpecNode, what: string): ActivityOptions => ({
  taskQueue: probeQueue(node.id),
  activityId: activityIdOf(what, node.name),
  heartbeatTimeout,
  startToCloseTimeout: '12 hours',
  cancellationType: whenOver,
  summary: `${node.name} · ${what}`,
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumInterval: '30 seconds' },
});

/**
 * Watches that last as long as the gang serves. A worker that restarts goes on with them; a node that gives no sign for
 * a minute is lost with its rank. Nobody waits for one that is given up, so each has an id of its own.
 */
export function watches(
  node: SpecNode,
  what: 'watch rank' | 'watch server',
  nth: number,
): Pick<ProbeActivities, 'watchRank' | 'watchServer'> {
  return proxyActivities<ProbeActivities>({
    taskQueue: probeQueue(node.id),
    activityId: activityIdOf(`${what} ${nth}`, node.name),
    heartbeatTimeout: '60 seconds',
    scheduleToStartTimeout: '60 seconds',
    startToCloseTimeout: '365 days',
    cancellationType: 'TRY_CANCEL',
    summary: `${node.name} · ${what}`,
    retry: {
      initialInterval: '500 milliseconds',
      maximumInterval: '10 seconds',
      nonRetryableErrorTypes: ['TemporalTimeout:Heartbeat'],
    },
  });
}

/** Activities of the control worker itself: it talks to the Temporal service, never to a node. */
export const control: ControlActivities = proxyActivities<ControlActivities>({
  taskQueue: controlQueue,
  heartbeatTimeout: '30 seconds',
  startToCloseTimeout: '24 hours',
  retry: { maximumInterval: '10 seconds' },
});
