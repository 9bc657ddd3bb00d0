import { WorkflowNotFoundError } from '@temporalio/client';
import { NamespaceNotFoundError } from '@temporalio/common';

/** Does this error say that there never was such a run? A home that was just placed has not even a namespace. */
export function isNoSuchRun(error: unknown): boolean {
  return error instanceof WorkflowNotFoundError || error instanceof NamespaceNotFoundError;
}
