/** The cluster file of the suite with something else in it, for faults that a person makes with another file. */
import { ok } from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { repository } from '../lab/stage.ts';
import { clusterFile } from './places.ts';
import type { Scene } from './scene.ts';

/** Write it into the operator's home and return its path. Throws where there is nothing to replace. */
export async function variantOf(
  scene: Scene,
  from: string | RegExp,
  to: string | ((found: string) => string),
): Promise<string> {
  const text = await readFile(join(repository, clusterFile), 'utf8');
  const changed = text.replace(from, typeof to === 'string' ? () => to : to);
  ok(changed !== text, `${clusterFile} holds nothing like ${String(from)}`);
  const path = join(scene.stage.lab.operator, 'variant.yaml');
  await writeFile(path, changed);
  return path;
}
