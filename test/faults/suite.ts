/**
 * A list of faults as one test file on one lab, for the day when some of them run with the other tests:
 * `describeFaults(['F43 install wheels/during', 'F62 start head/before'])`.
 */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { keepEvidence } from './evidence.ts';
import { titleOf, type Fault } from './fault.ts';
import { runFault } from './run-fault.ts';
import { Scene } from './scene.ts';
import { table } from './table/index.ts';

/** Define one test for each fault, by its title. */
export function describeFaults(titles: readonly string[]): void {
  const faults = titles.map(find);
  // A bring-up before, one that is harmed, and two after it.
  jest.setTimeout(900_000);
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.start('faults-test', faults[0]?.start ?? 'fresh', () => undefined);
  });
  afterAll(async () => {
    await scene.stop();
  });
  describe('a cluster of two hosts survives', () => {
    test.each(faults.map((fault) => [titleOf(fault), fault] as const))('%s', async (_title, fault) => {
      const verdict = await runFault(scene, fault, async (problems) => {
        await keepEvidence(scene, fault, problems);
      });
      expect({ problems: verdict.problems, sceneBroken: verdict.sceneBroken }).toEqual({ problems: [] });
    });
  });
}

function find(title: string): Fault {
  const fault = table.find((each) => titleOf(each) === title);
  if (!fault) throw new Error(`no fault ${title}; npm run faults -- --list names them`);
  return fault;
}
