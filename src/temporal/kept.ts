/**
 * Runs that go on with an older windlass than the one that is placed now. The service itself knows them: such a run has
 * a versioning override, which only the worker of that version may take tasks of. All other runs have no version.
 */
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';

/** All versions of windlass are one deployment to the service. */
export const keptDeployment = 'windlass';

/** The versioning behaviour of the service that holds a run to a version. */
const pinned = 1;

/** The version of windlass that a run goes on with; null where it is the one that is placed now. */
export function keptBy({ raw }: Pick<WorkflowExecutionDescription, 'raw'>): string | null {
  const override = raw.workflowExecutionInfo?.versioningInfo?.versioningOverride;
  return override?.pinned?.version?.buildId ?? null;
}

/**
 * Let only the worker of a version go on with a run; null: the worker without a version does. The service refuses a
 * version of which no worker has polled yet.
 */
export async function keepRun(
  client: Client,
  { workflowId, runId }: { readonly workflowId: string; readonly runId: string },
  version: string | null,
): Promise<void> {
  const override = {
    pinned: { behavior: pinned, version: { deploymentName: keptDeployment, buildId: version ?? '' } },
  };
  await client.workflowService.updateWorkflowExecutionOptions({
    namespace: client.options.namespace,
    workflowExecution: { workflowId, runId },
    workflowExecutionOptions: version === null ? {} : { versioningOverride: override },
    updateMask: { paths: ['versioning_override'] },
  });
}

/** For people. */
export const keptSentence = (version: string): string =>
  `goes on with windlass ${version}, since the one placed now cannot replay it`;
