/** The ten states of a node as they are wanted, read once from the standing cluster, for peers that know no cluster file. */
import type { Rig } from '../rig.ts';
import { headName } from '../rig.ts';

export interface NodeStates {
  readonly name: string;
  readonly home: string;
  readonly root: string;
  /** Name of the placed version. */
  readonly payload: string;
  readonly settings: string;
  readonly token: string;
  readonly unit: string;
  /** Shell command whose output is `environmentListing` while the environment is as wanted. */
  readonly listEnvironment: string;
  readonly environmentListing: string;
  readonly proof: string;
  readonly listModel: string;
  readonly modelListing: string;
  readonly ray: string;
}

/** A question to the engine, as the smoke test of the product asks it. */
export const question = {
  model: 'windlass/tiny-llama',
  messages: [{ role: 'user', content: 'Hello! Write a haiku about GPUs.' }],
  max_tokens: 24,
  temperature: 0,
};

export const api = 'http://10.0.0.25:5000';

/** Read the states of every node; the head comes first. */
export async function readStates(rig: Rig): Promise<NodeStates[]> {
  return Promise.all(rig.nodes.map((name) => readNode(rig, name)));
}

async function readNode(rig: Rig, name: string): Promise<NodeStates> {
  const there = async (command: string): Promise<string> => (await rig.time('ssh', [name, command])).stdout;
  const home = await there('pwd');
  const root = `${home}/.local/share/windlass`;
  const environment = await there(`ls -d ${root}/envs/*`);
  const model = await there(`ls -d ${home}/.cache/huggingface/hub/models--*/snapshots/*`);
  const listEnvironment = `LC_ALL=C ls -d ${environment}/lib/python*/site-packages/*.dist-info | sha256sum`;
  const listModel = `find -L ${model} -type f -printf '%P %s\\n' | LC_ALL=C sort | sha256sum`;
  return {
    name,
    home,
    root,
    payload: await there(`readlink ${root}/workers/current`),
    settings: await there(`cat ${root}/node-worker.json`),
    token: await there(`cat ${root}/secrets/rayToken`),
    // The output of a command loses its last line end; the file has one.
    unit: `${await there(`cat ${home}/.config/systemd/user/windlass-node.service`)}\n`,
    listEnvironment,
    environmentListing: await there(listEnvironment),
    proof: await there(`ls ${root}/proofs/*.json`),
    listModel,
    modelListing: await there(listModel),
    ray: await there("systemctl --user list-units 'windlass-ray-*' --plain --no-legend | cut -d' ' -f1"),
  };
}

export const isHead = ({ name }: NodeStates): boolean => name === headName;
