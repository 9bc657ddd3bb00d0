/**
 * The acts of a bring-up as a fault meets them: where each runs, and how one sees that it is half done. What stops a
 * download in its middle is the server; what Ray and the engine do is caught on its way, and seen not to be over.
 */
import { equal, ok } from 'node:assert/strict';
import type { Host } from '../lab/host.ts';
import type { State } from './fault.ts';
import type { Running, Scene } from './scene.ts';
import { linesOf, logOf, processesOf } from './scene.ts';

/** An act that is about to be met: nothing has been started yet. */
export interface Armed {
  /** Returns when the act is in its middle, having seen that it is not over. */
  readonly inMiddle: (running: Running) => Promise<void>;
  /** Lets it go on. */
  readonly go: () => void;
}

export interface Act {
  readonly step: string;
  readonly start: State;
  readonly host: (scene: Scene) => Host;
  /** Unit that does it. */
  readonly unit: RegExp;
  readonly arm: (scene: Scene) => Promise<Armed>;
}

const slowEngine = '/etc/windlass-lab/engine.json';

async function hasBegun(host: Host, step: string, since: number): Promise<boolean> {
  return (await linesOf(host, step, since)).some(({ what }) => what === 'began');
}

async function demandNoEnd(host: Host, step: string, since: number): Promise<void> {
  const lines = await linesOf(host, step, since);
  const isHalfDone = lines.some(({ what }) => what === 'began') && lines.at(-1)?.what !== 'ended';
  ok(isHalfDone, `${step} is not half done on ${host.name}: ${JSON.stringify(lines)}`);
}

function download(step: string, unit: RegExp, server: 'index' | 'hub', pattern: RegExp): Act {
  const host = (scene: Scene): Host => scene.worker;
  return {
    step,
    start: 'placed',
    host,
    unit,
    arm: async (scene) => {
      const since = Date.now();
      const hold = scene.stage[server].traffic.hold(pattern);
      return Promise.resolve({
        go: hold.release,
        inMiddle: async (running) => {
          await scene.seen(running, `half of a file of ${step} has arrived`, () => isSettled(hold.reached));
          await demandNoEnd(host(scene), step, since);
        },
      });
    },
  };
}

/** Whether a promise has been kept by now. */
const isSettled = async (promise: Promise<unknown>): Promise<boolean> =>
  Promise.race([promise.then(() => true), new Promise<false>((resolve) => setImmediate(resolve, false))]);

function ray(step: string, host: Act['host'], program: string): Act {
  const unit = /windlass-ray-/;
  return {
    step,
    start: 'prepared',
    host,
    unit,
    arm: async (scene) => {
      const since = Date.now();
      return Promise.resolve({
        go: () => undefined,
        inMiddle: async (running) => {
          await scene.seen(running, `${program} runs`, async () =>
            (await processesOf(host(scene), unit)).some(({ commandLine }) =>
              commandLine[0]?.endsWith(program),
            ),
          );
          await demandNoEnd(host(scene), step, since);
          const log = await logOf(host(scene), 'windlass-ray-');
          ok(!log.includes('Ray runtime started'), `${step} is over already`);
        },
      });
    },
  };
}

const launch: Act = {
  step: 'launch server',
  start: 'prepared',
  host: (scene) => scene.head,
  unit: /windlass-engine-/,
  arm: async (scene) => {
    const since = Date.now();
    // A third of the real engine's silences: long enough to be met in its middle.
    for (const host of scene.hosts)
      await host.writeFile(slowEngine, '{"STANDIN_SPEED": 3}', { user: 'root' });
    return {
      go: () => undefined,
      inMiddle: async (running) => {
        const { head } = scene;
        await scene.seen(
          running,
          'the engine gathers its ranks',
          async () =>
            (await hasBegun(head, 'launch server', since)) &&
            (await logOf(head, 'windlass-engine-')).includes('No placement group detected'),
        );
        await demandNoEnd(head, 'launch server', since);
        const log = await logOf(head, 'windlass-engine-');
        ok(!log.includes('ready to roll'), 'the engine is ready already');
      },
    };
  },
};

export const acts: readonly Act[] = [
  download('install wheels', /windlass-wheels-/, 'index', /torch-.*\.whl$/),
  download('stage model', /windlass-model-/, 'hub', /\.safetensors$/),
  ray('start head', (scene) => scene.head, '/gcs_server'),
  ray('join workers', (scene) => scene.worker, '/raylet'),
  launch,
];

/** A bring-up that has come to the middle of an act; `go` lets the act go on. */
export async function inMiddleOf(scene: Scene, act: Act): Promise<{ running: Running; go: () => void }> {
  const armed = await act.arm(scene);
  const running = scene.up();
  await armed.inMiddle(running);
  return { running, go: armed.go };
}

/** The step was begun exactly once since the case began. */
export async function begunOnce(scene: Scene, act: Act): Promise<void> {
  const lines = await linesOf(act.host(scene), act.step, scene.since);
  equal(lines.filter(({ what }) => what === 'began').length, 1, `${act.step}: ${JSON.stringify(lines)}`);
}

export function actOf(step: string): Act {
  const found = acts.find((act) => act.step === step);
  if (!found) throw new Error(`no act ${step}; there are ${acts.map((act) => act.step).join(', ')}`);
  return found;
}
