/** `windlass plan`: node by node what `up` would change, the commands and the environment; changes nothing. */
import type { PlannedNode } from '../cluster/changes.ts';
import { plannedNodes } from '../cluster/changes.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit } from '../errors.ts';
import type { ClusterFile } from '../config/schema.ts';
import type { ReachedNode } from '../placing/reach.ts';
import { reachNodes } from '../placing/reach.ts';
import { platformOf } from '../placing/wanted.ts';
import type { CommandContext } from './context.ts';
import { demandChecks } from './demand-checks.ts';
import { observedOf } from './observed.ts';
import { withVersions } from './own-payload.ts';

export async function plan(path: string, context: CommandContext): Promise<number> {
  const { output } = context;
  const { file } = await loadClusterFile(path);
  const reached = await reachNodes(file, context.env);
  try {
    demandChecks(file, reached, context);
    const { spec, observed } = observedOf(file, reached);
    const planned = plannedNodes(spec, observed, await versionsOf(file, reached, context));
    for (const each of planned) output.line(explain(each));
    output.line(
      planned.every((each) => each.changes.length === 0) ? 'Nothing would change.' : 'windlass up does this.',
    );
    output.result({ ok: true, nodes: planned });
    return Exit.done;
  } finally {
    for (const { connection } of reached) connection.close();
  }
}

/** The version of windlass that each node shall have, by its name. */
async function versionsOf(
  file: ClusterFile,
  reached: readonly ReachedNode[],
  context: CommandContext,
): Promise<ReadonlyMap<string, string>> {
  const versions = new Map<string, string>();
  await withVersions(context, async (versionFor) => {
    for (const { entry, facts } of reached) {
      const platform = platformOf({ machine: facts.machine ?? '', libc: `glibc ${facts.glibc ?? ''}` });
      if (platform !== undefined)
        versions.set(entry.name, await versionFor(platform, entry.name === file.head));
    }
  });
  return versions;
}

function explain(each: PlannedNode): string {
  return [
    `${each.node} (${each.address}, ${each.hardware})`,
    ...(each.changes.length === 0 ? ['  = nothing'] : each.changes.map((change) => `  + ${change}`)),
    ...each.commands.map((command) => `  $ ${command}`),
    ...Object.entries(each.variables).map(([name, value]) => `    ${name}=${value}`),
    '',
  ].join('\n');
}
