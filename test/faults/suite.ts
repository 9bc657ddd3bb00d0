/** A part of the fault suite as tests, on a lab of its own. */
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { choose } from './choose.ts';
import { keepEvidence } from './evidence.ts';
import { titleOf } from './fault.ts';
import { runFault } from './run-fault.ts';
import { Scene } from './scene.ts';
import { table } from './table/index.ts';

/** Define one test for each fault, by its title. `lab` names the lab, which no other may have at that time. */
export function describeFaults(lab: string, titles: readonly string[]): void {
  const meant = table.filter((fault) => titles.includes(titleOf(fault)));
  const { chosen } = choose(meant, [], {});
  // A bring-up before, one that is harmed, and two after it.
  jest.setTimeout(900_000);
  let scene: Scene;
  beforeAll(async () => {
    scene = await Scene.start(lab, chosen[0]?.start ?? 'fresh', () => undefined);
  });
  afterAll(async () => {
    await scene.stop();
  });
  describe('a cluster of two hosts survives', () => {
    test.each(chosen.map((fault) => [titleOf(fault), fault] as const))('%s', async (_title, fault) => {
      const verdict = await runFault(scene, fault, async (problems) => {
        await keepEvidence(scene, fault, problems);
      });
      expect({ problems: verdict.problems, sceneBroken: verdict.sceneBroken }).toEqual({ problems: [] });
    });
  });
}
