/**
 * What a node's certificate may ask of the Temporal service: a closed list. It polls its own two queues, heartbeats
 * and answers activities that were given to it; it cannot start, signal, list or read anything.
 */
import proto, { type temporal } from '@temporalio/proto';
import { actQueue, probeQueue } from '../../src/cluster/names.ts';
import { seal, type SealKey, unseal } from './task-seal.ts';

// Node.js itself sees no named exports in this package; only bundlers do.
const { enums, taskqueue, workflowservice } = proto.temporal.api;
const api = workflowservice.v1;
const { TASK_QUEUE_KIND_UNSPECIFIED, TASK_QUEUE_KIND_NORMAL } = enums.v1.TaskQueueKind;
const PREFIX = '/temporal.api.workflowservice.v1.WorkflowService/';

export interface Caller {
  readonly node: string;
  readonly namespace: string;
  readonly sealKey: SealKey;
}

/** Why a request is refused, as the end of "node X …"; undefined when it may pass. */
type Judge = (message: Uint8Array, caller: Caller) => string | undefined;
/** The message as the other side is to get it. */
export type Rewrite = (message: Uint8Array, caller: Caller) => Uint8Array;

export interface Method {
  readonly judge: Judge;
  readonly rewriteRequest?: Rewrite;
  readonly rewriteAnswer?: Rewrite;
}

const methods: ReadonlyMap<string, Method> = new Map<string, Method>([
  ['GetSystemInfo', { judge: () => undefined }],
  [
    'DescribeNamespace',
    ask(api.DescribeNamespaceRequest, ({ id }) => (id ? 'asks for a namespace by id' : undefined)),
  ],
  [
    'PollActivityTaskQueue',
    { ...ask(api.PollActivityTaskQueueRequest, judgeQueue), rewriteAnswer: sealTask },
  ],
  ['RecordActivityTaskHeartbeat', answerTask(api.RecordActivityTaskHeartbeatRequest)],
  ['RespondActivityTaskCompleted', answerTask(api.RespondActivityTaskCompletedRequest)],
  ['RespondActivityTaskFailed', answerTask(api.RespondActivityTaskFailedRequest)],
  ['RespondActivityTaskCanceled', answerTask(api.RespondActivityTaskCanceledRequest)],
  ['RecordWorkerHeartbeat', ask(api.RecordWorkerHeartbeatRequest)],
  [
    'ShutdownWorker',
    ask(api.ShutdownWorkerRequest, ({ stickyTaskQueue, taskQueue }, { node }) =>
      stickyTaskQueue || (taskQueue && !ownQueues(node).includes(taskQueue))
        ? `ends a worker on ${stickyTaskQueue || taskQueue}, which is not its own queue`
        : undefined,
    ),
  ],
]);

/** The method of a request path, or undefined for one that nodes may not call. */
export function methodOf(path: string): Method | undefined {
  return path.startsWith(PREFIX) ? methods.get(path.slice(PREFIX.length)) : undefined;
}

/** The short name of a method, for messages. */
export function methodName(path: string): string {
  return (path.startsWith(PREFIX) ? path.slice(PREFIX.length) : path).slice(0, 100);
}

interface Type<T> {
  decode(bytes: Uint8Array): T;
}

function ask<T extends { readonly namespace: string }>(
  type: Type<T>,
  further: (request: T, caller: Caller) => string | undefined = () => undefined,
): Method {
  return {
    judge: (message, caller) => {
      const request = type.decode(message);
      if (request.namespace !== caller.namespace) {
        return `asks for the namespace ${request.namespace || '(none)'}, not ${caller.namespace}`;
      }
      return further(request, caller);
    },
  };
}

interface Answer {
  readonly namespace: string;
  readonly taskToken: Uint8Array;
}

function answerTask<T extends Answer>(
  type: Type<T> & { encode(message: { taskToken: Uint8Array }): { finish(): Uint8Array } },
): Method {
  const tokenOf = ({ taskToken }: Answer, { sealKey, node }: Caller) => unseal(sealKey, node, taskToken);
  return {
    ...ask(type, (request, caller) =>
      tokenOf(request, caller) === undefined ? 'answers a task that was not given to it' : undefined,
    ),
    rewriteRequest: (message, caller) => {
      const taskToken = tokenOf(type.decode(message), caller);
      return taskToken === undefined ? message : replaced(message, type.encode({ taskToken }).finish());
    },
  };
}

function sealTask(message: Uint8Array, { sealKey, node }: Caller): Uint8Array {
  const type = api.PollActivityTaskQueueResponse;
  const { taskToken } = type.decode(message);
  // A poll that ended without a task.
  if (taskToken.length === 0) return message;
  return replaced(message, type.encode({ taskToken: seal(sealKey, node, taskToken) }).finish());
}

/** Of a field that stands twice the later counts, in every protobuf; fields that this version does not know stay. */
const replaced = (message: Uint8Array, field: Uint8Array): Uint8Array => Buffer.concat([message, field]);

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
