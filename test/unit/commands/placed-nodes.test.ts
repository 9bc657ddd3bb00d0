import { describe, expect, it } from '@jest/globals';
import { placedNodes } from '../../../src/commands/placed-nodes.ts';

const identity = { id: 'a'.repeat(16), mintedAt: 0 };
const unit = (name: string, isRunning = true) => ({
  name,
  active: isRunning ? ('active' as const) : ('failed' as const),
  mainPid: null,
  processes: isRunning ? [{ pid: 1, startTicks: 1, command: '' }] : [],
  result: null,
});
const node = (name: string, units: ReturnType<typeof unit>[], isPlaced = true) => ({
  entry: { name },
  facts: { state: { identity: isPlaced ? identity : null, units } },
});
const control = unit('windlass-control');
const engine = unit('windlass-engine-0123456789abcdef');

const asked = (reached: readonly ReturnType<typeof node>[], isPurge = false) =>
  placedNodes('head', reached, { isPurge }).map(({ entry }) => entry.name);

describe('the nodes that a stop is asked of', () => {
  it('are those on which windlass was placed, also where the file has one more by now', () => {
    expect(asked([node('head', [control, engine]), node('one', []), node('new', [], false)])).toEqual([
      'head',
      'one',
    ]);
  });

  it('are none where windlass has never been, or was only placed half', () => {
    expect(asked([node('head', [], false), node('one', [], false)])).toEqual([]);
    expect(asked([node('head', []), node('one', [unit('windlass-node')])])).toEqual([]);
  });

  it('are none, with an error, where something runs that no home can stop; a purge needs none', () => {
    const reached = [node('head', [], false), node('one', [engine])];
    expect(() => asked(reached)).toThrow(
      expect.objectContaining({ code: 'HOME_MISSING', data: { head: 'head', on: 'one' } }),
    );
    expect(asked(reached, true)).toEqual([]);
  });

  it('are none where a unit of the gang has ended and only its name is left', () => {
    expect(asked([node('head', [], false), node('one', [unit('windlass-ray-0', false)])])).toEqual([]);
  });
});
