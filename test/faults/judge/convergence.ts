/** I4: `up` again converges with no manual step, and a third `up` changes nothing. */
import type { Scene } from '../scene.ts';
import { clusterFile } from '../places.ts';

export async function notConverging(scene: Scene): Promise<string[]> {
  const again = await scene.run(['up', clusterFile, '--json']);
  if (again.exit !== 0)
    return [`I4: up again ended with ${String(again.exit)}: ${again.stdout}${again.stderr}`];
  // What changed nothing is the third already.
  if ((JSON.parse(again.stdout) as { changes: number }).changes === 0) return [];
  const third = await scene.run(['up', clusterFile, '--json']);
  const { changes } = third.exit === 0 ? (JSON.parse(third.stdout) as { changes: number }) : { changes: -1 };
  return changes === 0 ? [] : [`I4: a third up made ${String(changes)} changes: ${third.stdout}`];
}
