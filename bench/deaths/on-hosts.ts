/** Bring-ups on the lab's real hosts, disturbed again and again; their ledgers tell what was done twice. */
import { setTimeout as sleep } from 'node:timers/promises';
import { begunAgain } from '../../test/faults/judge/once.ts';
import { killUnit, readLedger } from '../../test/lab/ledger.ts';
import type { Log } from '../../test/lab/run.ts';
import { Stage } from '../../test/lab/stage.ts';
import { demandSuccess, startOver } from '../../test/lab/start-over.ts';
import { clusterFile, headName } from '../rig.ts';
import type { Victim } from './simulated.ts';
import { victims } from './simulated.ts';

export interface OnHosts {
  readonly deaths: number;
  readonly bringUps: number;
  /** Acts that were begun again after they had ended well. */
  readonly twice: readonly string[];
  /** Runs that changed a node in one bring-up, beyond the one. */
  readonly strangers: number;
}

const betweenMs = { least: 2_000, most: 8_000 };

/** Bring all hosts up from nothing, as often as it takes, until so many deaths have been met. */
export async function disturbHosts(deaths: number, random: () => number, log: Log): Promise<OnHosts> {
  const stage = await Stage.start({ name: 'deaths', log });
  const twice: string[] = [];
  let [done, bringUps, strangers] = [0, 0, 0];
  try {
    while (done < deaths) {
      if (bringUps > 0) await startOver(stage, clusterFile);
      bringUps += 1;
      done += await disturbOne(stage, victims.slice(done % victims.length), deaths - done, random);
      for (const host of stage.lab.hosts) {
        const lines = await readLedger(host);
        twice.push(...begunAgain(lines).map((what) => `${host.name}: ${what}`));
        strangers += new Set(lines.map(({ run }) => run)).size - 1;
      }
      log(`bring-up ${bringUps}: ${done} deaths so far, done twice: ${twice.length}`);
    }
  } finally {
    await stage.stop();
  }
  return { deaths: done, bringUps, twice, strangers };
}

/** One bring-up; returns how often something died while it ran. */
async function disturbOne(
  stage: Stage,
  first: readonly Victim[],
  most: number,
  random: () => number,
): Promise<number> {
  const head = stage.lab.host(headName);
  const run = stage.start(['up', clusterFile, '--json']);
  let isOver = false as boolean;
  const ended = run.finally(() => {
    isOver = true;
  });
  let done = 0;
  while (done < most) {
    await sleep(betweenMs.least + random() * (betweenMs.most - betweenMs.least));
    if (isOver) break;
    // Before the first act there is no home yet in which anything could die.
    if ((await readLedger(head)).length === 0) continue;
    const victim = first[done] ?? victims[(done - first.length) % victims.length];
    if (victim !== 'Temporal') await killUnit(head, 'windlass-control');
    if (victim !== 'control worker') await killUnit(head, 'windlass-temporal');
    done += 1;
  }
  demandSuccess(await ended);
  return done;
}
