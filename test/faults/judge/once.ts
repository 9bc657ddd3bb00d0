/** No run begins again, on any host, what it had brought to a good end there: the hosts' own ledgers say so. */
import type { LedgerLine } from '../../lab/ledger.ts';
import { readLedger } from '../../lab/ledger.ts';
import type { Scene } from '../scene.ts';

/** A gang of which a part was lost is started again as a whole; that is a new act. */
const startsGang = /start head|join workers|launch server|stop/;

const actOf = ({ run, step, unit = '' }: LedgerLine): string => `${step} ${unit} of run ${run}`;

/** Acts that were begun again by the run that had seen them end well. */
export function begunAgain(lines: readonly LedgerLine[]): string[] {
  const endedWell = new Set<string>();
  return lines.flatMap((line) => {
    const act = actOf(line);
    if (line.what === 'ended' && line.exitCode === 0) endedWell.add(act);
    const isAgain = line.what === 'began' && endedWell.has(act) && !startsGang.test(line.step);
    return isAgain ? [act] : [];
  });
}

export async function doneTwice({ hosts, since }: Scene): Promise<string[]> {
  const found = await Promise.all(
    hosts.map(async (host) => {
      const lines = (await readLedger(host)).filter(({ at }) => at >= since);
      return begunAgain(lines).map((act) => `I4: ${host.name} did twice: ${act}`);
    }),
  );
  return found.flat();
}
