/** What of a gang runs already, judged from what was observed. Pure: `plan` tells it, workflows act on it. */
import type { Listener, NodeFacts } from './facts/types.ts';
import type { Member, WantedGang } from './gang.ts';
import { members } from './gang.ts';
import { isRunUnit } from './layout.ts';
import type { Observed } from './plan.ts';
import { isRank } from './ranks.ts';
import type { UnitState } from './state.ts';

/** What of the wanted gang runs already and can be adopted, and where units stand that are in the way. */
export interface Found {
  readonly ray: boolean;
  readonly engine: boolean;
  readonly listening: boolean;
  /** Ranks alive on each node, in the order of the members; null where the engine does not listen yet. */
  readonly ranks: readonly number[] | null;
  /** Nodes with units of another gang, or of the wanted one where it is broken. */
  readonly leftovers: readonly Member[];
}

/** Nothing of a gang runs anywhere. */
export const nothingFound: Found = {
  ray: false,
  engine: false,
  listening: false,
  ranks: null,
  leftovers: [],
};

/** A running unit, its name without `.service`. */
type GangUnit = Pick<UnitState, 'name' | 'processes' | 'lost'>;

/** The units of gangs that run on a node, wanted or not. */
export const gangUnitsOf = (facts: NodeFacts | undefined): GangUnit[] =>
  (facts?.state.units ?? [])
    .filter((unit) => ['active', 'activating'].includes(unit.active))
    .map((unit) => ({ ...unit, name: unit.name.replace(/\.service$/, '') }))
    .filter(({ name }) => /^windlass-(ray|engine)-/.test(name) && isRunUnit(`${name}.service`));

export function findGang(gang: WantedGang, observed: readonly Observed[]): Found {
  const factsOf = (member: Member) =>
    observed.find((each) => each.node.name === member.prepared.node.name)?.facts;
  const unitsOf = (member: Member): GangUnit[] => gangUnitsOf(factsOf(member));
  // One that has lost more than its session runs on, and cannot do what a gang needs of it next.
  const runs = (member: Member, name: string) =>
    unitsOf(member).find((unit) => unit.name === name && (unit.lost ?? 'session') === 'session');

  const ray = members(gang).every((member) => runs(member, member.rayUnit));
  const engine = ray && runs(gang.head, gang.engineUnit) !== undefined;
  // Somebody else may have the same port at another address of the head.
  const isEngine = ({ port, unit }: Listener) =>
    port === gang.engine.port && (unit === null || unit.startsWith('windlass-engine-'));
  const listening = engine && (factsOf(gang.head)?.listeners?.some(isEngine) ?? false);
  const ranks = members(gang).map(
    (member) => runs(member, member.rayUnit)?.processes.filter(({ command }) => isRank(command)).length ?? 0,
  );
  // An engine that listens has had all its ranks. It goes on listening when one has died, and never answers again.
  // Ranks without the wanted engine belong to another, dead maybe, and hold the memory that this one needs.
  const isBroken = listening
    ? members(gang).some(({ ray: { gpus } }, at) => (ranks[at] ?? 0) < gpus)
    : members(gang).some((member, at) => {
        const hasOldRanks = !engine && (ranks[at] ?? 0) > 0;
        return hasOldRanks || runs(member, member.rayUnit)?.lost === 'session';
      });
  if (isBroken) {
    return { ...nothingFound, leftovers: members(gang).filter((member) => unitsOf(member).length > 0) };
  }
  const wanted = (member: Member): string[] =>
    ray ? [member.rayUnit, ...(engine ? [gang.engineUnit] : [])] : [];
  const leftovers = members(gang).filter((member) =>
    unitsOf(member).some((unit) => !wanted(member).includes(unit.name)),
  );
  return { ray, engine, listening, ranks: listening ? ranks : null, leftovers };
}
