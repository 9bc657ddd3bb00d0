/** The word that `status` has for a cluster: what is true now, above what is remembered. */
import { describe, expect, it } from '@jest/globals';
import { explain, wordOf } from '../../../src/commands/status.ts';
import type { AskedKeeper } from '../../../src/temporal/keeper.ts';
import type { LastRun } from '../../../src/temporal/last-run.ts';
import { file } from '../checks/cluster.ts';

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

const keeperOf = (more: Partial<AskedKeeper>): AskedKeeper => ({
  cluster: 'lab',
  state: 'watches',
  since: 0,
  last: null,
  waitingFor: null,
  answeredAt: null,
  keptBy: null,
  stuck: null,
  ...more,
});
const wait = { node: 'thorx', since: 0, what: 'CIRCUIT_OPEN', all: [] };

describe('a keeper whose last run the service has forgotten', () => {
  const watching = keeperOf({ answeredAt: Date.now() - 1_000 });

  it('still says what is true', () => {
    expect(wordOf(null, watching, null)).toBe('ready');
    expect(wordOf(null, keeperOf({ answeredAt: Date.now() - 3_600_000 }), null)).toBe('live');
    expect(wordOf(null, keeperOf({ waitingFor: wait }), null)).toBe('waiting');
    expect(wordOf(null, watching, silent)).toBe('failed');
  });

  it('is shown, with the probe and what it waits for', () => {
    const shown = explain(file, {
      run: null,
      keeper: keeperOf({ state: 'circuit open', waitingFor: wait }),
      word: 'waiting',
      probed: silent,
    });
    expect(shown).toMatch(/run +none of this cluster is known at this home/);
    expect(shown).toContain('no answer: connection refused');
    expect(shown).toMatch(/keeper +circuit open/);
    expect(shown).toMatch(/waits for a person since .*\n {4}CIRCUIT_OPEN/);
  });
});

describe('the word of status', () => {
  it('is ready where the probe answers, whatever the home remembers', () => {
    expect(wordOf(null, null, answered)).toBe('ready');
    expect(wordOf(lastRun({ status: 'FAILED' }), null, answered)).toBe('ready');
  });

  it('is not ready where the probe does not answer', () => {
    expect(wordOf(null, null, silent)).toBe('down');
    expect(wordOf(lastRun({}), null, silent)).toBe('failed');
    expect(wordOf(lastRun({ type: 'tearDownCluster' }), null, silent)).toBe('stopped');
    const failure = new Error('the unit cannot be stopped');
    expect(wordOf(lastRun({ type: 'tearDownCluster', failure }), null, null)).toBe('failed');
  });

  it('is waiting while the circuit of its keeper is open, unless an answer comes all the same', () => {
    const keeper = keeperOf({ state: 'circuit open', waitingFor: wait });
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
