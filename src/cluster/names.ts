/** Names that the Temporal service knows: queues, workflow ids. They are part of the protocol. */

/** Queue of the control worker. */
export const controlQueue = 'windlass';

/** Queue of acts on a node, two at a time. It belongs to the machine: work waits in it while the machine restarts. */
export const actQueue = (node: string): string => `windlass.node.${node}`;

/** Queue of looks and stops on a node, so that these never wait behind an install. */
export const probeQueue = (node: string): string => `windlass.node.${node}.probe`;

/** Id of every run of a cluster; being one, it is also the lock. */
export const clusterWorkflowId = (name: string): string => `cluster/${name}`;

/** Id of the long run that watches a serving cluster. */
export const keeperWorkflowId = (name: string): string => `keeper/${name}`;

export const prepareWorkflowId = (run: string, node: string): string => `prepare/${run}/${node}`;

/** Id of an activity, which people can type: `install-wheels@spark-2`. */
export const activityIdOf = (step: string, node: string): string => `${step.replaceAll(' ', '-')}@${node}`;

/** The step and node of an activity id, or null for another kind of id. */
export function readActivityId(id: string): { step: string; node: string } | null {
  const [step, node] = id.split('@');
  return step === undefined || node === undefined ? null : { step: step.replaceAll('-', ' '), node };
}
