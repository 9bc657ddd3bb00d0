/** Are the wanted GPUs there, of the class that the file says, and open to a unit of the user? */
import { type NodeCheck, blocked, failed, list, pass, warn } from './check.ts';

const gpuGroups = ['video', 'render'];

export const gpuPresent: NodeCheck = {
  name: 'gpu-present',
  title: 'As many GPUs as the file wants',
  scope: 'node',
  judge: ({ node, facts }) => {
    const found = facts.gpus.length;
    const names = list([...new Set(facts.gpus.map((gpu) => gpu.name))]);
    if (found >= node.gpus) {
      return pass(`${found} ${found === 1 ? 'GPU' : 'GPUs'}: ${names}, driver ${facts.driver ?? 'unknown'}`);
    }
    if (found > 0) {
      return failed(
        `${node.gpus} GPUs are wanted, ${found} found: ${names}`,
        'Set nodes[].gpus to what is there.',
      );
    }
    // A driver that does not load, or a machine that wants its reboot.
    return blocked(
      `no GPU was found: ${facts.gpuError ?? 'nvidia-smi lists none'}`,
      facts.tegra === null
        ? 'Make nvidia-smi list it; after a driver update: sudo reboot'
        : 'Make nvidia-smi list it (part of JetPack 7: sudo apt install nvidia-jetpack); then: sudo reboot',
    );
  },
};

export const gpuClass: NodeCheck = {
  name: 'gpu-class',
  title: 'The hardware class of the file is that of the machine',
  scope: 'node',
  judge: ({ node, facts }) => {
    const [gpu] = facts.gpus;
    const said = gpu ? `${gpu.name}, capability ${gpu.capability ?? 'unknown'}` : 'no GPU could be read';
    if (node.hardware === 'auto') {
      return gpu
        ? pass(`class ${facts.hardware} (${said})`)
        : warn(`the class cannot be told: ${said}`, 'Set nodes[].hardware to spark, thor or other.');
    }
    if (!gpu)
      return warn(`whether this is a ${node.hardware} cannot be told: ${said}`, 'Run nvidia-smi there.');
    if (node.hardware === facts.hardware) return pass(`class ${facts.hardware}, as the file says`);
    return failed(
      `the file says ${node.hardware}, the machine is ${facts.hardware} (${said})`,
      `Set nodes[].hardware to ${facts.hardware} or auto, or correct nodes[].address.`,
    );
  },
};

export const gpuDevices: NodeCheck = {
  name: 'gpu-devices',
  title: 'A unit of the user can open the GPU’s device files',
  scope: 'node',
  judge: ({ facts }) => {
    const { gpuDevicesClosed: closed, user } = facts;
    if (closed === null) {
      return warn(
        'no unit of the user could be started to look at the GPU’s device files',
        'systemd-run --user --pipe --wait ls -l /dev/nvidia0',
      );
    }
    if (closed.length === 0) return pass('the GPU’s device files are open to units of the user');
    const groups = [...new Set(closed.map((device) => device.group))];
    const named = `a unit of ${user.name} cannot open ${list(closed.map((device) => device.path))}`;
    const sentence = `${named} (${groups.length === 1 ? 'group' : 'groups'} ${list(groups)})`;
    // Groups as root or disk open far more than a GPU: nobody is told to join them.
    if (!groups.every((group) => gpuGroups.includes(group))) {
      return blocked(
        sentence,
        `ls -l ${closed.map((device) => device.path).join(' ')}; they belong to video or render.`,
      );
    }
    const missing = groups.filter((group) => !user.groups.includes(group));
    // A manager keeps the groups of its start: a user who joined a group later has it in the login, not in units.
    const restart = `sudo systemctl restart user@${user.uid}.service`;
    return blocked(
      sentence,
      missing.length === 0 ? restart : `sudo usermod -aG ${missing.join(',')} ${user.name} && ${restart}`,
    );
  },
};
