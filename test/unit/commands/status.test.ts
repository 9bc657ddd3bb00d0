/** The word that `status` has for a cluster: what is true now, above what is remembered. */
import { describe, expect, it } from '@jest/globals';
import { wordOf } from '../../../src/commands/status.ts';
import type { LastRun } from '../../../src/temporal/last-run.ts';

const lastRun = (more: Partial<LastRun>): LastRun => ({
  type: 'bringUpCluster',
  status: 'COMPLETED',
  run: 'run-1',
  startedAt: 0,
  closedAt: 1,
  board: null,
  report: null,
  failure: null,
  keptBy: null,
  stuck: null,
  ...more,
});
const answered = { ok: true, ms: 1, text: 'Mistral' };
const silent = { ok: false, ms: 1, text: 'no answer: connection refused' };

describe('the word of status', () => {
  it('is ready where the probe answers, whatever the home remembers', () => {
    expect(wordOf(null, null, answered)).toBe('ready');
    expect(wordOf(lastRun({ status: 'FAILED' }), null, answered)).toBe('ready');
  });

  it('is not ready where the probe does not answer', () => {
    expect(wordOf(null, null, silent)).toBe('down');
    expect(wordOf(lastRun({}), null, silent)).toBe('failed');
    expect(wordOf(lastRun({ type: 'tearDownCluster' }), null, silent)).toBe('stopped');
  });

  it('is waiting while the circuit of its keeper is open, unless an answer comes all the same', () => {
    const wait = { node: 'thorx', since: 0, what: 'CIRCUIT_OPEN', all: [] };
    const keeper = {
      cluster: 'lab',
      state: 'circuit open' as const,
      since: 0,
      last: null,
      waitingFor: wait,
      answeredAt: null,
      keptBy: null,
      stuck: null,
    };
    expect(wordOf(lastRun({}), keeper, null)).toBe('waiting');
    expect(wordOf(lastRun({}), keeper, silent)).toBe('waiting');
    expect(wordOf(lastRun({}), keeper, answered)).toBe('ready');
  });

  it('is that of a run while one is under way', () => {
    expect(wordOf(lastRun({ status: 'RUNNING' }), null, answered)).toBe('starting');
    expect(wordOf(lastRun({ status: 'RUNNING', type: 'tearDownCluster' }), null, answered)).toBe('stopping');
  });

  it('is stuck where the windlass that is placed cannot replay the run, and not where an older one keeps it', () => {
    const stuck = { reason: 'Nondeterminism error', isUnanswered: false, since: null };
    expect(wordOf(lastRun({ status: 'RUNNING', stuck }), null, null)).toBe('stuck');
    expect(wordOf(lastRun({ status: 'RUNNING', keptBy: '0.1.0-0123456789ab' }), null, null)).toBe('starting');
  });
});
