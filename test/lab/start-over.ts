/** Back to hosts as they were before the first bring-up of a cluster. */
import type { Stage } from './stage.ts';

/** Throw with all that it said when the program did not end well. */
export function demandSuccess(result: { exitCode?: number; stdout: unknown; stderr: unknown }): void {
  const { exitCode, stdout, stderr } = result;
  if (exitCode !== 0) throw new Error(`exit ${String(exitCode)}\n${String(stdout)}\n${String(stderr)}`);
}

/** Make every host as it was before the first bring-up, the models' cache included. */
export async function startOver(stage: Stage, clusterFile: string): Promise<void> {
  demandSuccess(await stage.windlass(['down', clusterFile, '--purge']));
  for (const host of stage.lab.hosts)
    await host.exec(['rm', '-rf', '/home/dgx/.cache/huggingface'], { user: 'dgx' });
}
