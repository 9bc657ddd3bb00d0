/** One shell script over ssh per node, all nodes at once: the least that checks the same states, and the bare probe. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quote } from '../../src/process/command.ts';
import type { Contender } from '../pairs.ts';
import type { Rig } from '../rig.ts';
import type { NodeStates } from './states.ts';
import { api, isHead, question } from './states.ts';

const here = import.meta.dirname;

export interface Scripts {
  /** Checks the ten states of every node, and the answer on the head. */
  readonly states: Contender;
  /** One round trip to every node that does nothing: nobody can know anything about them sooner. */
  readonly probe: Contender;
  readonly close: () => Promise<void>;
}

export async function makeScripts(rig: Rig, nodes: readonly NodeStates[]): Promise<Scripts> {
  const folder = await mkdtemp(join(rig.lab.names.folder, 's-'));
  const text = await readFile(join(here, 'states.sh'), 'utf8');
  for (const kind of ['states', 'probe']) await mkdir(join(folder, kind));
  for (const node of nodes) {
    await writeFile(join(folder, 'states', `${node.name}.sh`), variables(node) + text, { mode: 0o600 });
    await writeFile(join(folder, 'probe', `${node.name}.sh`), 'true\n');
  }
  const onEach = (kind: string) =>
    rig.time('sh', [join(here, 'on-each.sh'), join(folder, kind), ...rig.nodes]);
  return {
    states: async () => {
      const { ms, stdout } = await onEach('states');
      if (stdout.match(/^changed=0$/gm)?.length !== nodes.length)
        throw new Error(`the script did not find all as wanted:\n${stdout}`);
      return ms;
    },
    probe: async () => (await onEach('probe')).ms,
    close: () => rm(folder, { recursive: true, force: true }),
  };
}

function variables(node: NodeStates): string {
  const values = {
    home: node.home,
    root: node.root,
    payload: node.payload,
    settings: node.settings,
    token: node.token,
    unit: node.unit.trimEnd(),
    list_environment: node.listEnvironment,
    environment_listing: node.environmentListing,
    proof: node.proof,
    list_model: node.listModel,
    model_listing: node.modelListing,
    ray: node.ray,
    api,
    question: isHead(node) ? JSON.stringify(question) : '',
  };
  return Object.entries(values)
    .map(([name, value]) => `${name}=${quote(value)}\n`)
    .join('');
}
