/** The last proof: a completion and a stream through all ranks, the right model, and a rank alive on its own node. */
import { servedName } from '../../src/cluster/models.ts';
import type { Found } from '../../src/cluster/found.ts';
import type { Member } from '../../src/cluster/gang.ts';
import { apiAddress, members } from '../../src/cluster/gang.ts';
import type { SmokeReport } from '../../activities/smoke.ts';
import { acts, probes } from '../activities.ts';
import { allOf, located } from '../failures.ts';
import type { Progress } from '../progress.ts';
import type { Gang } from './gang.ts';
import { inputFor } from './gang.ts';

export interface Served {
  readonly answer: SmokeReport;
  /** Ranks alive on each node, in the order of the gang's members. */
  readonly ranks: readonly number[];
}

/** Ask the server; on a gang that was not found serving, also look on each node for its ranks. */
export async function smokeTest(gang: Gang, found: Found, progress: Progress): Promise<Served> {
  const { spec, head } = gang;
  const { node } = head.prepared;
  const { answer } = await progress.step(node.name, 'smoke test', async () => {
    const report = await acts(node, 'smoke test').smokeTest({
      ...inputFor(gang, head),
      ...apiAddress(spec),
      servedName: servedName(spec),
      withApiKey: spec.secrets.includes('apiKey'),
    });
    return { changed: false, answer: report, what: `${report.tokens} tokens in ${report.answerMs} ms` };
  });
  const ranks = found.ranks ?? (await allOf(members(gang).map((member) => countRanks(gang, member))));
  return { answer, ranks };
}

async function countRanks(gang: Gang, member: Member): Promise<number> {
  const { node } = member.prepared;
  try {
    const input = { ...inputFor(gang, member), unit: member.rayUnit, gpus: member.ray.gpus };
    return (await probes(node, 'confirm ranks').confirmRanks(input)).ranks;
  } catch (error) {
    throw located(error, node.name, 'smoke test');
  }
}
