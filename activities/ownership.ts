/** The lease on a node: `owner.json` says which cluster owns it and which run acted last; a stale attempt stops. */
import type { RunRef } from '../src/cluster/inputs.ts';
import { Owner } from '../src/cluster/state.ts';
import { fail } from '../src/errors.ts';
import { readJson, writeFileAtomic } from '../src/process/files.ts';
import type { NodeContext } from './context.ts';

const later = (a: Owner['fence'], b: Owner['fence']): boolean =>
  a.startedAt > b.startedAt || (a.startedAt === b.startedAt && a.run > b.run);

const aheadMs = 10 * 60_000;
const isOfTheFuture = ({ startedAt }: Owner['fence']): boolean => startedAt > Date.now() + aheadMs;

/**
 * A run of a time that is still to come was begun by a clock that was ahead and has been set right since: it must not
 * keep all others out until that time has come. Where the one that asks is of the future as well, it is the clock of
 * this node that is behind, and the order of the two holds.
 */
const isStray = (owner: Owner['fence'], asking: Owner['fence']): boolean =>
  isOfTheFuture(owner) && !isOfTheFuture(asking);

/** Read `owner.json`; null when nobody owns the node. Throws FACT_UNREADABLE: what cannot be read may name somebody. */
export async function readOwner(context: NodeContext): Promise<Owner | null> {
  return (await readJson(context.layout.owner, Owner)) ?? null;
}

/** A person has given this node to the run, and named whose it was: one that came since is not meant. */
const isReplaced = (context: NodeContext, owner: Owner, { replaces = [] }: RunRef): boolean =>
  replaces.some(
    ({ node, cluster, home }) => node === context.id && cluster === owner.cluster && home === owner.home,
  );

/**
 * Called before every change: claims the node for the run, or throws NODE_OWNED (another cluster or home) or FENCED
 * (a newer run acted here already).
 */
export async function holdNode(context: NodeContext, run: RunRef): Promise<void> {
  const owner = await readOwner(context);
  if (owner && !isReplaced(context, owner, run)) {
    if (owner.cluster !== run.cluster || owner.home !== run.home) {
      throw fail('NODE_OWNED', { owner: owner.cluster, home: owner.home });
    }
    if (later(owner.fence, run.fence) && !isStray(owner.fence, run.fence))
      throw fail('FENCED', { by: owner.fence.run });
    if (owner.fence.run === run.fence.run) return;
  }
  await writeFileAtomic(
    context.layout.owner,
    JSON.stringify({ cluster: run.cluster, home: run.home, fence: run.fence } satisfies Owner),
    { mode: 0o600 },
  );
}
