/** Is there a place for what is kept on the node: local, with room, and with a name that is short enough for Ray? */
import type { NodeFacts } from '../facts/types.ts';
import { expandHome, layoutOf } from '../layout.ts';
import { type NodeCheck, blocked, failed, gib, pass, warn } from './check.ts';
import { hasEnvironment, hasModel } from './wanted.ts';

// A serving environment was measured at 6.1 GiB installed; its download (3 to 5 GB) lies in the cache beside it.
const environmentBytes = 6.1 * 1024 ** 3;
const environmentAndCacheBytes = 12e9;
// The size of a model is unknown before the hub has answered; below this nothing that serves would fit.
const leastModelBytes = 1024 ** 3;
// A Unix socket's name may have 107 bytes, and Ray adds 62 to its temporary folder.
const longestRayFolder = 45;

const networkFileSystem =
  /^(nfs|cifs|smb|9p|afs|ceph|lustre|gpfs|beegfs|glusterfs|fuse\.(sshfs|glusterfs|ceph))/;

function diskOf(facts: NodeFacts, purpose: 'root' | 'model'): NodeFacts['disks'][number] | undefined {
  return facts.disks.find((disk) => disk.purpose === purpose);
}

export const rootLocal: NodeCheck = {
  name: 'root-local',
  title: 'The folder of windlass is not on a network file system',
  scope: 'node',
  judge: ({ facts }) => {
    const disk = diskOf(facts, 'root');
    if (!disk) return warn('the file system of root cannot be read', 'Run df -T there.');
    if (!networkFileSystem.test(disk.fileSystem)) return pass(`${disk.path} is on ${disk.fileSystem}`);
    return failed(
      `${disk.path} is on ${disk.fileSystem}: two nodes would take it for their own, and sockets do not work there`,
      'Set root to a folder on a local disk of each node.',
    );
  },
};

export const pathLength: NodeCheck = {
  name: 'path-length',
  title: 'Ray’s temporary folder has at most 45 characters',
  scope: 'node',
  judge: ({ spec, facts }) => {
    const { ray } = layoutOf(expandHome(spec.root, facts.user.home));
    const length = new TextEncoder().encode(ray).length;
    if (length <= longestRayFolder) return pass(`${ray} has ${length} characters`);
    return failed(
      `${ray} has ${length} characters; Ray’s sockets allow ${longestRayFolder}`,
      'Set root to a shorter folder, as /var/lib/windlass made for this user.',
    );
  },
};

export const diskEnvironment: NodeCheck = {
  name: 'disk-environment',
  title: 'Room for the Python environment',
  scope: 'node',
  judge: (input) => {
    const { spec, facts } = input;
    if (hasEnvironment(spec, input)) return pass('the wanted environment is there already');
    const disk = diskOf(facts, 'root');
    if (!disk) return warn('free space at root cannot be read', 'Run df -h there.');
    const free = `${disk.path} has ${gib(disk.freeBytes)} free`;
    const remedy = 'Free some, or set root to a larger disk.';
    if (disk.freeBytes < environmentBytes) {
      // The size was measured once: the owner may know that this environment is smaller. A disk that fills up after
      // all stops the act that fills it, and the run waits again.
      return blocked(`${free}; an environment takes 6.1 GiB`, remedy, 'install with the space that there is');
    }
    if (disk.freeBytes < environmentAndCacheBytes) {
      return warn(`${free}; an environment takes 6.1 GiB, and its download up to 5 GB beside it`, remedy);
    }
    return pass(free);
  },
};

export const diskModel: NodeCheck = {
  name: 'disk-model',
  title: 'Room for the model',
  scope: 'node',
  judge: ({ spec, facts }) => {
    if (hasModel(spec, facts)) return pass('the model is there already');
    if ('path' in spec.model) return pass('the model is a folder of the owner’s; nothing is fetched');
    const disk = diskOf(facts, 'model');
    if (!disk) return warn('free space for the model cannot be read', 'Run df -h there.');
    const free = `${disk.path} has ${gib(disk.freeBytes)} free`;
    if (disk.freeBytes >= leastModelBytes) return pass(free);
    return warn(
      `${free}, which no model that serves fits into`,
      'Free some, or mount a larger disk at ~/.cache/huggingface there.',
    );
  },
};
