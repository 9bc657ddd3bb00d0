// How a log is compared with the kinds of line that it should have.

import { describe, expect, test } from '@jest/globals';
import { compareLog, type LogKind } from '../../standin/compare-log.ts';

const kinds: LogKind[] = [
  { from: 'launcher', name: 'begin', pattern: /^begin$/ },
  { from: 'launcher', name: 'noise', pattern: /^noise/, times: 'maybe' },
  { from: 'launcher', name: 'ready', pattern: /^ready$/ },
  { from: 'first rank', name: 'shards', pattern: /^Multi-thread/, times: 'again' },
  { from: 'every rank', name: 'load', pattern: /PP\d\] load$/ },
  { from: 'every rank', name: 'batch', pattern: /PP\d\] batch$/, times: 'again' },
  { from: 'every rank', name: 'warning', pattern: /^warning$/, times: 'somewhere' },
];
const stamp = (rank: number): string => `[2026-11-22 21:04:12 DP0 PP${rank}]`;
const zero = '(SchedulerActor pid=7)';
const one = '(SchedulerActor pid=9, ip=10.0.0.22)';
const good = [
  'begin',
  `${one} ${stamp(1)} load`,
  `${zero} `,
  `Multi-thread loading shards: 0%${stamp(0).replace('[', '][')} load`,
  `\u001B[36m${one}\u001B[0m warning`,
  `${zero} ${stamp(0)} batch`,
  'noise of some kind',
  `${one} ${stamp(1)} batch`,
  `${zero} warning`,
  'ready',
  `${zero} ${stamp(0)} batch`,
];

describe('compareLog', () => {
  test('finds nothing wrong where each process has its kinds in order, however they interleave', () => {
    expect(compareLog(good.join('\n'), kinds)).toEqual([]);
  });

  test('reads a transcript with its times and comments', () => {
    const transcript = [
      '# a run',
      '$ command',
      ...good.map((line) => `   12.34 ${line}`),
      '   70.02 EXIT -9',
    ];
    expect(compareLog(transcript.join('\n'), kinds)).toEqual([]);
  });

  test.each([
    [
      'missing',
      good.filter((line) => line !== 'ready'),
      { process: 'launcher', problem: 'missing', what: 'ready' },
    ],
    ['twice', [...good, 'ready'], { process: 'launcher', problem: 'twice', what: 'ready' }],
    [
      'unknown',
      [...good, 'what is this'],
      { process: 'launcher', problem: 'unknown line', what: 'what is this' },
    ],
    [
      'out of order',
      ['ready', ...good.filter((line) => line !== 'ready')],
      { process: 'launcher', problem: 'out of order', what: 'begin' },
    ],
    [
      'missing on one rank',
      good.filter((line) => !line.endsWith('PP1] load')),
      { process: 'rank 1', problem: 'missing', what: 'load' },
    ],
  ])('tells a line that is %s', (_, lines, difference) => {
    expect(compareLog(lines.join('\n'), kinds)).toEqual([difference]);
  });
});
