/** Can the node's system run what will be placed on it? */
import { type NodeCheck, blocked, failed, pass, warn } from './check.ts';

const machines = ['x86_64', 'aarch64'];
// The oldest C library that Node.js 20 and the manylinux_2_28 wheels run on.
const oldestGlibc = [2, 28] as const;
// From 247 on, `systemd-run --user --collect` and `ExecStart` with `exec` types behave as units of ours need.
const oldestSystemd = 247;

export const platform: NodeCheck = {
  name: 'platform',
  title: 'Linux on x86_64 or aarch64, glibc 2.28 or newer',
  scope: 'node',
  judge: ({ facts }) => {
    if (facts.machine === null || !machines.includes(facts.machine)) {
      return failed(
        `the machine is ${facts.machine ?? 'of an unknown kind'}; nodes are x86_64 or aarch64`,
        'Choose another machine in nodes[].address.',
      );
    }
    if (facts.glibc === null || isOlder(facts.glibc, oldestGlibc)) {
      return failed(
        `glibc is ${facts.glibc ?? 'not there or cannot be read'}; 2.28 or newer is needed`,
        'Run getconf GNU_LIBC_VERSION there; upgrade the system, or choose another machine in nodes[].address.',
      );
    }
    return pass(`${facts.os ?? 'Linux'} on ${facts.machine}, glibc ${facts.glibc}`);
  },
};

export const systemd: NodeCheck = {
  name: 'systemd',
  title: 'PID 1 is systemd, 247 or newer, with control groups v2, and the user has a manager of their own',
  scope: 'node',
  judge: ({ facts: { systemd: found, user } }) => {
    if (!found.running) {
      return failed(
        'systemd is not PID 1 there; units of ours could not outlive a login',
        'Boot the machine with systemd, or choose another one in nodes[].address.',
      );
    }
    if (found.version === null || found.version < oldestSystemd) {
      return failed(
        `systemd is ${found.version ?? 'of an unknown version'}; ${oldestSystemd} or newer is needed`,
        'Run systemctl --version there, and upgrade the system.',
      );
    }
    // Facts that an older node worker has read do not tell.
    if (found.unified === false) {
      return failed(
        'control groups are not those of version 2 alone; which processes are ours could not be read',
        'Boot the machine with systemd.unified_cgroup_hierarchy=1 on the kernel’s command line, and without any systemd.legacy_systemd_cgroup_controller.',
      );
    }
    if (!found.userManager) {
      return blocked(
        `the systemd manager of ${user.name} does not answer`,
        `sudo loginctl enable-linger ${user.name} && sudo systemctl restart user@${user.uid}.service`,
      );
    }
    return pass(`systemd ${found.version}, and the manager of ${user.name} answers`);
  },
};

export const linger: NodeCheck = {
  name: 'linger',
  title: 'Units of the user outlive the login and come back after a reboot',
  scope: 'node',
  judge: ({ facts: { systemd: found, user } }) => {
    const command = `sudo loginctl enable-linger ${user.name}`;
    if (found.linger === true) return pass(`lingering is on for ${user.name}`);
    if (found.linger === null) return warn(`whether ${user.name} lingers cannot be read`, command);
    // Without polkit nobody can grant a user the right: "Could not enable linger: Access denied".
    if (!found.polkit && user.uid !== 0) {
      return blocked(
        `lingering is off for ${user.name}, and without polkit the user cannot switch it on`,
        command,
      );
    }
    return warn(
      `lingering is off for ${user.name}; windlass up switches it on, windlass down --purge off again`,
      `Nothing to do; if a rule forbids it: ${command}`,
    );
  },
};

function isOlder(version: string, [major, minor]: readonly [number, number]): boolean {
  const [foundMajor = 0, foundMinor = 0] = version.split('.').map(Number);
  return foundMajor < major || (foundMajor === major && foundMinor < minor);
}
