/** All rules across fields and across nodes, in one list. They are judged before anything is contacted. */
import { problem } from './explain.ts';
import type { Positions } from './positions.ts';
import type { Finding, Problem } from './problems.ts';
import { checkAddresses } from './rules/addresses.ts';
import { checkEngine } from './rules/engine.ts';
import { checkEnvironments } from './rules/environments.ts';
import { checkPorts } from './rules/ports.ts';
import { checkTemporal } from './rules/temporal.ts';
import { checkTopology } from './rules/topology.ts';
import { checkVariables } from './rules/variables.ts';
import type { Sections } from './sections.ts';

/** A rule judges the sections that are there; `source` tells it lines to mention, and what was written at all. */
export type Rule = (sections: Sections, source: Positions) => Finding[];

const rules: readonly Rule[] = [
  checkTopology,
  checkAddresses,
  checkPorts,
  checkTemporal,
  checkEngine,
  checkEnvironments,
  checkVariables,
];

/** Judge everything; each problem points at something that the file has. */
export function checkRules(sections: Sections, source: Positions): Problem[] {
  return rules
    .flatMap((rule) => rule(sections, source))
    .map(({ path, message }) => problem(path, message, source));
}
