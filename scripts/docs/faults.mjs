/** The table of faults as Markdown, from the suite's own table, with the last result of each and what was found. */

export function faultsPage({ faults, elsewhere, notYet, results, found, titleOf, note }) {
  const groups = [...new Set(faults.map(({ group }) => group))];
  const lines = (group) =>
    faults
      .filter((fault) => fault.group === group)
      .map((fault) => [
        fault.id,
        `${fault.step}${fault.crashPoint === undefined ? '' : `, ${fault.crashPoint}`}`,
        fault.title,
        ending(fault.expect),
        lastOf(results[titleOf(fault)]),
      ]);
  return [
    '# Faults',
    note,
    'What may break around a bring-up, and what was seen to hold when it did: each fault is put to real hosts by `npm run faults`, in the middle of the act that it names. After each, what runs is compared with samples taken ten times a second, what does not belong to windlass must be untouched, and where a cluster is left, `up` must converge and then change nothing, and every history must replay.',
    ...groups.flatMap((group) => [
      `## ${names[group]}`,
      table([['Id', 'Step', 'Fault', 'Ends with', 'Last result'], ...lines(group)]),
    ]),
    '## Seen by tests of a part',
    'What needs no whole cluster is put to the part that it concerns, in `npm test`.',
    table([['Id', 'Fault', 'Test'], ...elsewhere.map((each) => [each.fault, each.title, each.test])]),
    '## Not put to hosts yet',
    'What is known to break and stands in no table above.',
    table([['Id', 'Fault', 'Why'], ...notYet.map((each) => [each.fault, each.title, each.why])]),
    '## Track record',
    'What the suite has found in windlass, and where it was mended.',
    table([
      ['Fault', 'Found', 'What was wrong', 'Mended in', 'Regression test'],
      ...found.map((each) => [each.fault, each.date, each.what, each.mended, each.test]),
    ]),
  ].join('\n\n');
}

const names = {
  A: 'A. Temporal and the way to it',
  B: 'B. Control worker and command line',
  C: 'C. Reaching nodes over ssh',
  D: 'D. Node worker and node',
  E: 'E. Environment and model',
  F: 'F. Ray, network, serving',
};

const ending = ({ exit, code, within }) =>
  `${exit < 0 ? 'its own death' : `exit ${exit}`}${code === undefined ? '' : ` \`${code}\``} within ${within} s`;

const lastOf = (result) =>
  result === undefined ? 'not run yet' : `${result.verdict}, ${result.date}, ${result.seconds} s`;

function table([head, ...rows]) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
