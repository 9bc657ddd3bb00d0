import { expect, test } from '@jest/globals';
import type { CheckResult } from '../../../src/cluster/checks/check.ts';
import type { BringUpReport } from '../../../src/cluster/report.ts';
import { explainReport } from '../../../src/output/report.ts';

const report: BringUpReport = {
  cluster: 'lab',
  run: 'r',
  changes: 0,
  keeper: 'keeper/lab',
  api: { address: '10.0.0.25', port: 5000, servedName: 'm', open: false },
  answer: { prompt: 'Say', text: 'said', tokens: 3, answerMs: 5, firstTokenMs: 2, at: 0 },
  nodes: [],
  phases: [],
};

const warning = (check: string, node: string): CheckResult => ({
  check,
  title: '',
  scope: 'node',
  verdict: 'warn',
  sentence: 'a sentence',
  node,
});

test('each check that warned is named once', () => {
  const warnings = [warning('linger', 'a'), warning('linger', 'b'), warning('certificates', 'a')];
  expect(explainReport({ ...report, warnings }, 2)).toMatch(
    /\n {2}Warnings {2}linger, certificates: windlass check says more$/,
  );
});

test.each([
  ['none', { warnings: [] }],
  ['the report of an older version', {}],
])('nothing is said of %s', (_what, more) => {
  expect(explainReport({ ...report, ...more }, 2)).not.toContain('Warnings');
});
