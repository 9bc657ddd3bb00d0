/**
 * What a node's certificate may ask of the Temporal service: a closed list. It polls its own two queues, heartbeats
 * and answers activities; it cannot start, signal, list or read anything.
 */
import proto, { type temporal } from '@temporalio/proto';
import { actQueue, probeQueue } from '../../src/cluster/names.ts';

// Node.js itself sees no named exports in this package; only bundlers do.
const { enums, taskqueue, workflowservice } = proto.temporal.api;
const api = workflowservice.v1;
const { TASK_QUEUE_KIND_UNSPECIFIED, TASK_QUEUE_KIND_NORMAL } = enums.v1.TaskQueueKind;
const PREFIX = '/temporal.api.workflowservice.v1.WorkflowService/';

export interface Caller {
  readonly node: string;
  readonly namespace: string;
}

/** Why a request is refused, as the end of "node X …"; undefined when it may pass. */
type Judge = (message: Uint8Array, caller: Caller) => string | undefined;

const methods: ReadonlyMap<string, Judge> = new Map<string, Judge>([
  ['GetSystemInfo', () => undefined],
  [
    'DescribeNamespace',
    judge(api.DescribeNamespaceRequest, ({ id }) => (id ? 'asks for a namespace by id' : undefined)),
  ],
  ['PollActivityTaskQueue', judge(api.PollActivityTaskQueueRequest, judgeQueue)],
  ['RecordActivityTaskHeartbeat', judge(api.RecordActivityTaskHeartbeatRequest)],
  ['RespondActivityTaskCompleted', judge(api.RespondActivityTaskCompletedRequest)],
  ['RespondActivityTaskFailed', judge(api.RespondActivityTaskFailedRequest)],
  ['RespondActivityTaskCanceled', judge(api.RespondActivityTaskCanceledRequest)],
  ['RecordWorkerHeartbeat', judge(api.RecordWorkerHeartbeatRequest)],
  [
    'ShutdownWorker',
    judge(api.ShutdownWorkerRequest, ({ stickyTaskQueue, taskQueue }, { node }) =>
      stickyTaskQueue || (taskQueue && !ownQueues(node).includes(taskQueue))
        ? `ends a worker on ${stickyTaskQueue || taskQueue}, which is not its own queue`
        : undefined,
    ),
  ],
]);

/** The judge of a request path, or undefined for a method that nodes may not call. */
export function judgeOf(path: string): Judge | undefined {
  return path.startsWith(PREFIX) ? methods.get(path.slice(PREFIX.length)) : undefined;
}

/** The short name of a method, for messages. */
export function methodName(path: string): string {
  return (path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path).slice(0, 100);
}

interface Decoder<T> {
  decode(bytes: Uint8Array): T;
}

function judge<T extends { readonly namespace: string }>(
  type: Decoder<T>,
  further: (request: T, caller: Caller) => string | undefined = () => undefined,
): Judge {
  return (message, caller) => {
    const request = type.decode(message);
    if (request.namespace !== caller.namespace) {
      return `asks for the namespace ${request.namespace || '(none)'}, not ${caller.namespace}`;
    }
    return further(request, caller);
  };
}

const ownQueues = (node: string): readonly string[] => [actQueue(node), probeQueue(node)];

function judgeQueue(
  { taskQueue }: temporal.api.workflowservice.v1.PollActivityTaskQueueRequest,
  { node }: Caller,
): string | undefined {
  const { name, kind, normalName } = taskqueue.v1.TaskQueue.create(taskQueue ?? {});
  const isNormal = kind === TASK_QUEUE_KIND_NORMAL || kind === TASK_QUEUE_KIND_UNSPECIFIED;
  if (ownQueues(node).includes(name) && isNormal && normalName === '') return undefined;
  return `polls ${name || '(no queue)'}, which is not its own queue`;
}
