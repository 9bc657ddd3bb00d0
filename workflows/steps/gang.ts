/** Start all ranks as one, or adopt what runs as wanted: Ray on every node, the count, the engine, its readiness. */
import { condition } from '@temporalio/workflow';
import type { Found } from '../../src/cluster/found.ts';
import type { Member, WantedGang } from '../../src/cluster/gang.ts';
import { endpointsOf, members } from '../../src/cluster/gang.ts';
import type { RunRef } from '../../src/cluster/inputs.ts';
import { acts, probes, stops } from '../activities.ts';
import { allOf, located, workflowFailure } from '../failures.ts';
import type { Progress } from '../progress.ts';
import { untilHeard } from './silent.ts';
import { whileWatched } from './watched.ts';

/** The wanted gang, for one run. */
export interface Gang extends WantedGang {
  readonly run: RunRef;
}

export const inputFor = (gang: Gang, member: Member) => ({
  run: gang.run,
  node: member.prepared.node.id,
  root: gang.spec.root,
});

const ofEach = <T>(where: readonly Member[], work: (member: Member) => Promise<T>, progress: Progress) =>
  progress.sideBySide(
    where.map((member) => member.prepared.node.name),
    where.map((member) => () => work(member)),
  );

/** Stop units of the gang on some nodes, the engine's node first, and prove that they are gone. */
export async function stopGang(
  gang: Gang,
  where: readonly Member[],
  keepRay: boolean,
  progress: Progress,
): Promise<void> {
  const stop = (member: Member) =>
    progress.step(member.prepared.node.name, 'stop old gang', (ask) =>
      untilHeard(member.prepared.node, 'stop old gang', ask, () =>
        stops(member.prepared.node).stopGangUnits({
          ...inputFor(gang, member),
          // An engine that runs as wanted is one only on Ray as wanted; where it does not run, its name keeps nothing.
          keep: keepRay ? [member.rayUnit, gang.engineUnit] : [],
          ports: endpointsOf(gang.spec, member.prepared.node),
          what: 'gang',
        }),
      ),
    );
  let isHeadOver = !where.includes(gang.head);
  const head = isHeadOver
    ? Promise.resolve()
    : stop(gang.head).finally(() => {
        isHeadOver = true;
      });
  const others = async () => {
    // Whatever else keeps the head, a stranger on its port maybe: its part of the gang has ended then.
    await condition(() => isHeadOver || progress.isWaiting(gang.head.prepared.node.name));
    await ofEach(
      where.filter((member) => member !== gang.head),
      stop,
      progress,
    );
  };
  await allOf<unknown>([head, others()]);
}

/** Start what is missing. `generation` names this start of the gang: a retry of an activity adopts, it never repeats. */
export async function startGang(
  gang: Gang,
  found: Found,
  generation: string,
  progress: Progress,
): Promise<void> {
  if (found.ray) {
    progress.alreadyRight(gang.head.prepared.node.name, 'start head');
    for (const member of gang.workers) progress.alreadyRight(member.prepared.node.name, 'join workers');
    progress.alreadyRight(gang.head.prepared.node.name, 'verify GPU count');
  } else {
    await startRay(gang, generation, progress);
  }
  const { node } = gang.head.prepared;
  const input = { ...inputFor(gang, gang.head), generation, engine: gang.engine, ray: gang.head.rayUnit };
  if (found.engine) progress.alreadyRight(node.name, 'launch server');
  else
    await progress.step(node.name, 'launch server', () =>
      acts(node, 'launch server', gang.spec.engine.name).launchServer(input),
    );
  if (found.listening) progress.alreadyRight(node.name, 'wait until ready');
  else {
    await progress.step(node.name, 'wait until ready', () =>
      whileAllRun(gang, generation, async () => {
        const { phases } = await acts(node, 'wait until ready').confirmReady({
          ...input,
          patience: gang.spec.engine.patience,
        });
        const times = Object.entries(phases).map(([phase, seconds]) => `${phase} ${seconds} s`);
        return { changed: false, what: times.join(', ') };
      }),
    );
  }
}

async function startRay(gang: Gang, generation: string, progress: Progress): Promise<void> {
  const ensure = (member: Member, step: 'start head' | 'join workers') =>
    progress.step(member.prepared.node.name, step, () =>
      acts(member.prepared.node, step).ensureRay({ ...inputFor(gang, member), generation, ray: member.ray }),
    );
  await ensure(gang.head, 'start head');
  await ofEach(gang.workers, (member) => ensure(member, 'join workers'), progress);
  const { node, place } = gang.head.prepared;
  await progress.step(node.name, 'verify GPU count', async () => {
    const counted = await acts(node, 'verify GPU count').confirmRayNodes({
      ...inputFor(gang, gang.head),
      place,
      headAddress: node.address,
      port: gang.spec.ray.port,
      expected: members(gang).map((member) => ({
        address: member.prepared.node.address,
        gpus: member.prepared.node.gpus,
      })),
      rayVersion: gang.spec.ray.version,
    });
    return { changed: false, what: `${counted.nodes} nodes, ${counted.gpus} GPUs` };
  });
}

/** Each node watches its own part while the engine starts. */
async function whileAllRun<T>(gang: Gang, generation: string, work: () => Promise<T>): Promise<T> {
  const watch = async (member: Member): Promise<never> => {
    const { node } = member.prepared;
    try {
      await probes(node, 'watch rank').watchGangUnit({
        ...inputFor(gang, member),
        generation,
        unit: member.rayUnit,
      });
      throw workflowFailure('RAY_FAILED', { evidence: `the watch of ${member.rayUnit} ended`, log: '' });
    } catch (error) {
      throw located(error, node.name, 'wait until ready');
    }
  };
  return whileWatched(
    work,
    gang.workers.map((member) => () => watch(member)),
  );
}
