/** Does a node have what would be fetched? Then a server that is away, or a full disk, is no reason to stop. */
import { wantedEnvironment } from '../environments.ts';
import type { NodeFacts } from '../facts/types.ts';
import { modelKey } from '../models.ts';
import { type CheckedSpec, type Observed, classOf } from './check.ts';

/** The wanted environment is installed and unchanged, or is one that the owner built. */
export function hasEnvironment(spec: CheckedSpec, observed: Observed): boolean {
  const { facts } = observed;
  const wanted = wantedEnvironment(spec, classOf(observed), facts.machine ?? '');
  if (wanted.kind === 'own') return true;
  return facts.state.environments.some(
    ({ request, listing, listingNow }) => request === wanted.hash && listing === listingNow,
  );
}

/** The wanted model lies complete on the node. */
export function hasModel(spec: CheckedSpec, facts: NodeFacts): boolean {
  const key = modelKey(spec);
  return facts.state.models.some(
    (model) => model.key === key && model.files === model.filesNow && model.bytes === model.bytesNow,
  );
}
