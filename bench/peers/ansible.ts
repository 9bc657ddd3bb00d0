/** Ansible, from Debian's packages, on the same ten states: by its defaults, and as its manual says that it is quickest. */
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Log } from '../../test/lab/run.ts';
import { run, succeeds } from '../../test/lab/run.ts';
import type { Contender } from '../pairs.ts';
import type { Rig } from '../rig.ts';
import type { NodeStates } from './states.ts';
import { api, isHead, question } from './states.ts';

const playbook = join(import.meta.dirname, 'playbook.yml');

/** Install Ansible where it is missing. Returns its version. */
export async function ensureAnsible(log: Log): Promise<string> {
  if (!(await succeeds('ansible-playbook', ['--version']).catch(() => false))) {
    log(
      'installing Ansible from Debian, to compare with: apt-get install -y --no-install-recommends ansible',
    );
    const options = { env: { DEBIAN_FRONTEND: 'noninteractive' } };
    const install = ['install', '-y', '--no-install-recommends', 'ansible'];
    if (!(await succeeds('apt-get', install, options))) {
      await run('apt-get', ['update'], options);
      await run('apt-get', install, options);
    }
  }
  const [first = ''] = (await run('ansible-playbook', ['--version'])).split('\n');
  return /[\d.]+/.exec(first)?.[0] ?? first;
}

export interface Ansible {
  /**
   * `default` and `pipelining` connect anew, as a run of the morning does; `pipelining, connected` finds the ssh
   * connections of a run a moment ago still open.
   */
  readonly contenders: Readonly<Record<string, Contender>>;
  readonly close: () => Promise<void>;
}

/** Prepare playbook runs against these nodes; each fails where Ansible reports a change. */
export async function makeAnsible(rig: Rig, states: readonly NodeStates[]): Promise<Ansible> {
  // In the lab's folder it goes with the lab, however this process ends; short, since sockets lie in it.
  const folder = await mkdtemp(join(rig.lab.names.folder, 'a-'));
  const inventory = join(folder, 'inventory.json');
  await writeFile(inventory, JSON.stringify(inventoryOf(states, folder)));
  for (const node of states) await writeFiles(join(folder, node.name), node);
  const play = async (sockets: string, pipelining: boolean): Promise<number> => {
    const { ms, stdout } = await rig.time('ansible-playbook', ['-i', inventory, playbook], {
      env: {
        ANSIBLE_HOME: join(folder, 'home'),
        ANSIBLE_LOCAL_TEMP: join(folder, 'local'),
        ANSIBLE_SSH_CONTROL_PATH_DIR: sockets,
        ANSIBLE_PIPELINING: pipelining ? 'True' : 'False',
        ANSIBLE_NOCOLOR: '1',
      },
    });
    demandNoChange(stdout, states.length);
    return ms;
  };
  const fresh = async (pipelining: boolean): Promise<number> => {
    const sockets = await mkdtemp(join(folder, 'c-'));
    try {
      return await play(sockets, pipelining);
    } finally {
      await hangUp(rig, sockets);
    }
  };
  const kept = join(folder, 'kept');
  await mkdir(kept, { mode: 0o700 });
  return {
    contenders: {
      ansible: () => fresh(false),
      'ansible, pipelining': () => fresh(true),
      'ansible, pipelining, connected': () => play(kept, true),
    },
    close: async () => {
      await hangUp(rig, kept);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** End the ssh connections that Ansible has left open for its next run. */
async function hangUp(rig: Rig, sockets: string): Promise<void> {
  for (const name of await readdir(sockets)) {
    await rig.time('ssh', ['-O', 'exit', '-o', `ControlPath=${join(sockets, name)}`, 'any']);
  }
}

/** Ansible copies files; text that looks like JSON would reach a node in another form if it were a variable. */
async function writeFiles(folder: string, { settings, token, unit }: NodeStates): Promise<void> {
  await mkdir(folder, { mode: 0o700 });
  for (const [name, text] of Object.entries({ settings, token, unit }))
    await writeFile(join(folder, name), text);
}

function inventoryOf(states: readonly NodeStates[], folder: string): unknown {
  const variables = (node: NodeStates) => ({
    home: node.home,
    root: node.root,
    payload: node.payload,
    files: join(folder, node.name),
    list_environment: node.listEnvironment,
    environment_listing: node.environmentListing,
    proof: node.proof,
    list_model: node.listModel,
    model_listing: node.modelListing,
    ray: node.ray,
    api,
    question,
  });
  const names = (nodes: readonly NodeStates[]) => Object.fromEntries(nodes.map(({ name }) => [name, {}]));
  return {
    all: {
      hosts: Object.fromEntries(states.map((node) => [node.name, variables(node)])),
      // Looking for the interpreter costs a round trip; a user who wants speed names it.
      vars: { ansible_python_interpreter: '/usr/bin/python3' },
      children: { nodes: { hosts: names(states) }, head: { hosts: names(states.filter(isHead)) } },
    },
  };
}

function demandNoChange(stdout: string, nodes: number): void {
  const quiet = stdout.match(/changed=0\s+unreachable=0\s+failed=0/g) ?? [];
  if (quiet.length !== nodes) throw new Error(`Ansible did not find all as wanted:\n${stdout.slice(-1500)}`);
}
