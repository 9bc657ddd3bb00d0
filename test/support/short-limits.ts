/**
 * Workflow interceptor for tests: in a namespace that asks for short limits, a worker that gives no sign is given up
 * after a second or two and not after a minute, and a timer that would look again in minutes does so in a second. It is part of the one bundle of all tests, and does nothing elsewhere.
 */
import type { WorkflowInterceptorsFactory } from '@temporalio/workflow';
import { workflowInfo } from '@temporalio/workflow';

export const interceptors: WorkflowInterceptorsFactory = () => {
  if (!workflowInfo().namespace.startsWith('short-limits')) return {};
  return {
    outbound: [
      {
        startTimer: (input, next) => next({ ...input, durationMs: Math.min(input.durationMs, 1_000) }),
        scheduleActivity: (input, next) => {
          const { options } = input;
          return next({
            ...input,
            options: {
              ...options,
              ...(options.scheduleToStartTimeout !== undefined && { scheduleToStartTimeout: '1 second' }),
              ...(options.heartbeatTimeout !== undefined && { heartbeatTimeout: '2 seconds' }),
            },
          });
        },
      },
    ],
  };
};
