/** Will all nodes get the same Python? Ray compares it to the patch and refuses a node that differs. */
import { Environment } from '../../config/schema.ts';
import {
  type CheckedSpec,
  type ClusterCheck,
  type ClusterInput,
  type Judgement,
  type Observed,
  classOf,
  failed,
  list,
  pass,
  warn,
} from './check.ts';
import { groupBy } from './group.ts';

interface Choice {
  readonly name: string;
  readonly field: string;
  readonly wanted: string;
  /** Matching versions that are there, the one that uv would take first. */
  readonly found: readonly string[];
}

export const equalPython: ClusterCheck = {
  name: 'equal-python',
  title: 'The same Python, to the patch, for all nodes',
  scope: 'cluster',
  judge: ({ spec, nodes }) => {
    const choices = nodes.flatMap((observed) => choiceOf(spec, observed));
    const wanted = [...new Set(choices.map((choice) => choice.wanted))];
    const fields = list([...new Set(choices.map((choice) => choice.field))]);
    const [only] = wanted;
    if (only === undefined)
      return pass('all environments were built by hand; their Python is compared later');
    if (wanted.length > 1) {
      return failed(
        `the file wants Python ${list(wanted)}; Ray needs one for all nodes`,
        `Set ${fields} alike.`,
      );
    }
    return judgeVersions(only, choices, fields);
  },
};

function choiceOf(spec: CheckedSpec, observed: Observed): Choice[] {
  const hardware = classOf(observed);
  const entry = spec.environments[hardware] ?? Environment.parse({});
  if ('path' in entry) return [];
  const matching = observed.facts.pythons.filter(
    ({ version }) => version === entry.python || version.startsWith(`${entry.python}.`),
  );
  // uv prefers the interpreters that it manages, newest first, to those on the path.
  const managed = matching.filter(({ path }) => path.includes('/cpython-'));
  const others = matching.filter(({ path }) => !path.includes('/cpython-'));
  const newestFirst = managed
    .map(({ version }) => version)
    .toSorted((one, other) => patchOf(other) - patchOf(one));
  return [
    {
      name: observed.node.name,
      field: `environments.${hardware}.python`,
      wanted: entry.python,
      found: [...newestFirst, ...others.map(({ version }) => version)],
    },
  ];
}

function judgeVersions(wanted: string, choices: readonly Choice[], fields: string): Judgement {
  const having = choices.filter(({ found }) => found.length > 0);
  const without = choices.filter(({ found }) => found.length === 0).map(({ name }) => name);
  const picks = [...new Set(having.flatMap(({ found }) => found.slice(0, 1)))];
  const isExact = wanted.split('.').length === 3;
  const [pick] = picks;
  if (pick === undefined) return pass(`uv brings Python ${wanted} to all nodes`);
  if (picks.length > 1) {
    const shown = having.map(({ name, found }) => `${found[0] ?? '?'} on ${name}`);
    const common = having[0]?.found.find((version) => having.every(({ found }) => found.includes(version)));
    return failed(
      `Python differs: ${list(shown.slice(0, 6))}; Ray refuses a node whose patch differs`,
      `Set ${fields} to "${common ?? pick}".`,
    );
  }
  if (without.length > 0) {
    const sentence = `Python ${pick} is on some nodes, and uv has to bring ${wanted} to ${list(without)}`;
    return isExact
      ? pass(sentence)
      : warn(`${sentence}, maybe in another patch`, `Set ${fields} to "${pick}".`);
  }
  return pass(`Python ${pick} on all nodes`);
}

function patchOf(version: string): number {
  return Number(/^3\.[0-9]+\.([0-9]+)/.exec(version)?.[1] ?? 0);
}

export const equalPlatform: ClusterCheck = {
  name: 'equal-platform-per-class',
  title: 'The nodes of a class have one kind of processor',
  scope: 'cluster',
  judge: ({ nodes }) => {
    const mixed = groupBy(nodes, classOf).flatMap(([hardware, members]) => {
      const machines = [...new Set(members.map(({ facts }) => facts.machine ?? 'unknown'))];
      return machines.length > 1 ? [judgeMixed(hardware, machines, members)] : [];
    });
    return mixed.length === 0 ? pass('each class has one kind of processor') : mixed;
  },
};

function judgeMixed(
  hardware: string,
  machines: readonly string[],
  members: ClusterInput['nodes'],
): Judgement {
  const shown = members.map(({ node, facts }) => `${node.name} ${facts.machine ?? 'unknown'}`);
  return warn(
    `class ${hardware} has ${list(machines)} (${list(shown.slice(0, 6))}); each gets a lock of its own`,
    'Set nodes[].hardware if one of them is of another class.',
  );
}
