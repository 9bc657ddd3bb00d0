/** `windlass check`: the named checks alone, over ssh, with nothing installed and nothing changed. */
import { explainChecks } from '../cluster/checks/explain.ts';
import { judgeAll } from '../cluster/checks/judge.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit } from '../errors.ts';
import { reachNodes } from '../placing/reach.ts';
import type { CommandContext } from './context.ts';
import { observedOf } from './observed.ts';

export async function check(path: string, context: CommandContext): Promise<number> {
  const { file } = await loadClusterFile(path);
  const reached = await reachNodes(file, context.env);
  try {
    const { spec, observed } = observedOf(file, reached);
    const results = judgeAll(spec, observed);
    const isBad = results.some((result) => result.verdict === 'fail');
    context.output.line(explainChecks(results));
    context.output.result({ ok: !isBad, results });
    return isBad ? Exit.checkFailed : Exit.done;
  } finally {
    for (const { connection } of reached) connection.close();
  }
}
