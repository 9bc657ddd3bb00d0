/** The last words of `up`: what answers where, how long each step took, and what survives a reboot. */
import type { StepName } from '../cluster/board.ts';
import type { BringUpReport } from '../cluster/report.ts';
import { escapeLine } from '../process/escape.ts';
import { table } from './table.ts';

/** What the model said, each line below the first indented, so that none of them looks like a line of ours. */
const quoted = (text: string): string => text.trim().split('\n').map(escapeLine).join('\n            ');

/** Steps that look and change nothing; that they changed nothing says nothing about the cluster. */
const looks: readonly StepName[] = ['observe', 'check', 'verify GPU count', 'wait until ready', 'smoke test'];

export function explainReport(report: BringUpReport, nodes: number): string {
  const { api, answer, phases, changes } = report;
  const base = `http://${api.address.includes(':') ? `[${api.address}]` : api.address}:${api.port}/v1`;
  return [
    '',
    changes === 0
      ? `${report.cluster}: 0 changes; all ${nodes} nodes are as the cluster file says`
      : `${report.cluster}: up on ${nodes} nodes, ${changes} changes`,
    '',
    table(
      phases.map(({ step, seconds, changed }) => [
        `  ${step}`,
        `${seconds.toFixed(1)} s`,
        changed || looks.includes(step) ? '' : 'already right',
      ]),
    ),
    '',
    `  asked     ${quoted(answer.prompt)}`,
    `  answered  ${quoted(answer.text)}`,
    `            ${answer.tokens} tokens in ${answer.answerMs} ms, first after ${answer.firstTokenMs} ms`,
    '',
    `  API       ${base}  model ${escapeLine(api.servedName)}${api.open ? '  (open: no key is asked for)' : ''}`,
    ...afterwards(report.keeper),
    ...warnings(report),
  ].join('\n');
}

/** Names only: some are of the kind that one learns to live with, and every bring-up would tell them at length. */
function warnings({ warnings: found = [] }: BringUpReport): string[] {
  const names = [...new Set(found.map(({ check }) => check))];
  return names.length === 0 ? [] : [`  Warnings  ${names.join(', ')}: windlass check says more`];
}

/** Who looks after it from now on. */
const afterwards = (keeper: string | null): string[] =>
  keeper === null
    ? [
        '  Keeper    off: nobody watches the ranks',
        '  A reboot ends Ray and the engine; environments, models, node workers and the home come back. Run up again then.',
      ]
    : [
        `  Keeper    ${keeper} watches each rank on its own node, and starts all again when one is lost, also by a reboot`,
      ];
