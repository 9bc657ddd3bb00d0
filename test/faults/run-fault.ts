/** Runs one fault: to where it begins, harm, judgement, and back to a scene that is whole. */
import type { Fault, Outcome } from './fault.ts';
import { notConverging } from './judge/convergence.ts';
import { notReplayable } from './judge/histories.ts';
import { wrongEnd } from './judge/message.ts';
import { doneTwice } from './judge/once.ts';
import { twoAtOnce } from './judge/one-gang.ts';
import { readyInVain } from './judge/ready.ts';
import { unseenWait } from './judge/waiting.ts';
import type { Scene } from './scene.ts';

export interface Verdict {
  readonly seconds: number;
  /** What is not as it must be; none is well. */
  readonly problems: readonly string[];
  /** Why nothing can be said of the product: the scene itself did not get to where the fault begins, or not back. */
  readonly sceneBroken?: string;
}

/** Run one fault and judge it. Never throws. `keep` is called once on a failure, where possible before it is healed. */
export async function runFault(
  scene: Scene,
  fault: Fault,
  keep: (problems: readonly string[]) => Promise<void>,
): Promise<Verdict> {
  scene.begin();
  try {
    // What the last case broke for good must not be this one's: then it begins with hosts as they once were.
    await scene.reach(fault.start).catch(async () => {
      await scene.heal();
      await scene.purge();
      await scene.reach(fault.start);
    });
  } catch (error) {
    return { seconds: 0, problems: [], sceneBroken: `it did not get to ${fault.start}: ${sentence(error)}` };
  }
  scene.begin();
  const startedAt = Date.now();
  const seconds = (): number => (Date.now() - startedAt) / 1000;
  const problems = await harmAndJudge(scene, fault);
  const wasKept = problems.length > 0;
  if (wasKept) await keep(problems);
  try {
    await fault.heal?.(scene);
    await scene.heal();
  } catch (error) {
    return { seconds: seconds(), problems, sceneBroken: `it did not heal: ${sentence(error)}` };
  }
  problems.push(...(await judgeInvariants(scene, fault)));
  if (problems.length > 0 && !wasKept) await keep(problems);
  return { seconds: seconds(), problems };
}

async function harmAndJudge(scene: Scene, fault: Fault): Promise<string[]> {
  try {
    const outcome = await harm(scene, fault);
    const own = await collect(async () => {
      await fault.judge?.(scene, outcome);
      return [];
    });
    const unseen = await collect(() => unseenWait(scene, outcome));
    return [...wrongEnd(fault.expect, outcome), ...own, ...unseen];
  } catch (error) {
    return [sentence(error)];
  }
}

/** All are judged, whatever one of them says; first those that ask for the cluster as it is now. */
async function judgeInvariants(scene: Scene, fault: Fault): Promise<string[]> {
  const wants = (invariant: Fault['invariants'][number]): boolean => fault.invariants.includes(invariant);
  const problems: string[] = [];
  if (wants('I9')) problems.push(...(await collect(() => readyInVain(scene))));
  if (wants('I4')) problems.push(...(await collect(() => notConverging(scene))));
  problems.push(...(await collect(async () => twoAtOnce(await scene.samples.read(), scene.since))));
  problems.push(...(await collect(() => doneTwice(scene))));
  problems.push(...(await collect(() => scene.strangers.judge())));
  problems.push(...(await collect(() => toldSecrets(scene))));
  if (wants('I6')) problems.push(...(await collect(() => scene.secrets.onHosts(scene.hosts))));
  if (wants('I8')) problems.push(...(await collect(() => judgeHistories(scene))));
  return problems;
}

async function toldSecrets({ secrets, said, samples }: Scene): Promise<string[]> {
  return secrets.inTexts({
    'what a command said': JSON.stringify(said),
    'a command line': await samples.text(),
  });
}

async function judgeHistories(scene: Scene): Promise<string[]> {
  const histories = await scene.histories();
  return [...(await notReplayable(histories)), ...scene.secrets.inHistories(histories)];
}

const collect = async (judge: () => Promise<string[]>): Promise<string[]> =>
  judge().catch((error: unknown) => [sentence(error)]);

/** The command must end within its time: one that does not is let go, and said to be silent. */
async function harm(scene: Scene, fault: Fault): Promise<Outcome> {
  const running = await fault.inject(scene);
  const startedAt = Date.now();
  await fault.relieve?.(scene);
  const limit = setTimeout(() => {
    running.signal('SIGINT');
  }, fault.expect.within * 1000);
  const outcome = await running.ended;
  clearTimeout(limit);
  return { ...outcome, seconds: (Date.now() - startedAt) / 1000 };
}

const sentence = (error: unknown): string => (error instanceof Error ? error.message : String(error));
