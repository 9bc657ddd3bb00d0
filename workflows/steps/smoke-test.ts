/** The last proof: a completion and a stream through all ranks, the right model, and a rank alive on its own node. */
import type { ClusterSpec } from '../../src/config/schema.ts';
import { servedName } from '../../src/cluster/models.ts';
import { apiAddress } from '../../src/cluster/gang.ts';
import type { RunRef } from '../../src/cluster/inputs.ts';
import type { SmokeReport } from '../../activities/smoke.ts';
import { acts } from '../activities.ts';
import type { Progress } from '../progress.ts';

export async function smokeTest(spec: ClusterSpec, run: RunRef, progress: Progress): Promise<SmokeReport> {
  const head = spec.nodes.find((node) => node.name === spec.head);
  if (!head) throw new Error('the spec has no head');
  const { answer } = await progress.step(head.name, 'smoke test', async () => {
    const report = await acts(head, 'smoke test').smokeTest({
      run,
      node: head.id,
      root: spec.root,
      ...apiAddress(spec),
      servedName: servedName(spec),
      withApiKey: spec.secrets.includes('apiKey'),
    });
    return { changed: false, answer: report, what: `${report.tokens} tokens in ${report.answerMs} ms` };
  });
  return answer;
}
