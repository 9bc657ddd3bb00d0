/** The kept records of the benchmarks as Markdown: what was measured, beside whom, and which bars it passed. */

export function benchmarksPage({ results, note }) {
  return [
    '# Benchmarks',
    note,
    'What `npm run bench -- NAME --keep` has measured last, _observed on stand-ins_: real hosts of the lab and a real Temporal service, engines that only wait, print, answer and die as the real ones do. All hosts share the cores of one machine, so seconds are for orientation, and ratios are what counts. A run on a machine that was more than 80 % busy, or that has too few repetitions, is shown and not valid.',
    ...Object.values(results).flatMap(sectionOf),
  ].join('\n\n');
}

function sectionOf({ date, form, cores, record }) {
  const { bench, value, unit, peers, limit, bar, valid, repetitions, n, details } = record;
  const reasons = (details.reasons ?? []).join('; ');
  return [
    `## ${bench}`,
    `${sentence(details.value)}: **${value} ${unit}**. ${n} nodes, ${repetitions} repetitions, ${form} form, ${cores} cores, ${date}; ${valid ? 'valid' : `**not valid**: ${reasons}`}.`,
    table([
      ['Beside', unit],
      ...Object.entries(peers),
      ...(limit === null ? [] : [[`limit: ${details.limit ?? ''}`, limit]]),
    ]),
    ...(bar === null ? [] : [barsOf(bar)]),
    ...(details.faults === undefined
      ? []
      : [faultsOf(details.faults), alarmsOf(details.alarms), restOf(details)]),
  ];
}

const sentence = (text) => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;

const barsOf = (bars) =>
  table([
    ['Bar', 'Wanted', 'Found', ''],
    ...bars.map(({ name, bound, wanted, found, pass }) => [
      name,
      `${bound} ${wanted}`,
      found,
      pass ? 'passed' : '**missed**',
    ]),
  ]);

const faultsOf = (faults) =>
  table([
    ['Fault', 'Times', 'Noticed, p50 / p99, ms', 'Resumed after that', 'Serves after the fault'],
    ...Object.entries(faults).map(([fault, { noticedMs, resumedMs, servesMs }]) => [
      fault,
      noticedMs.count,
      ...[noticedMs, resumedMs, servesMs].map((each) => (each === null ? '' : `${each.p50} / ${each.p99}`)),
    ]),
  ]);

const alarmsOf = ({ seconds, percent, packetsLost, alarms }) =>
  `False alarms in a watch of ${seconds} s, while ${percent} % of the packets of one node were lost, ${packetsLost} in all: **${alarms}**.`;

const restOf = ({ settlePercent, restPercent }) =>
  `What the busier node worker used: ${settlePercent} % of a core in the first minute after a repair, ${restPercent} % at rest, which is measured after that minute.`;

function table([head, ...rows]) {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
