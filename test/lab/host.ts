/**
 * One host of a lab: it boots and dies as a machine does, keeps its disk over a power cut, and can be looked into as
 * from its console.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { killCgroup, makeCgroups, readCgroupPids, readCgroupsOf } from './cgroups.ts';
import * as faults from './faults.ts';
import { gpuDevices, user, userGroups, type Arch, type HostSpec } from './hosts.ts';
import { startKept } from './keeper-client.ts';
import { readContainer, readLeader } from './leader.ts';
import { hostFolders, labFile, type LabNames } from './names.ts';
import { connectHost, inNetwork, managementPort, setLines } from './network.ts';
import { readHostProcesses, type HostProcess } from './host-processes.ts';
import { readProcessId, sendSignal } from './processes.ts';
import { succeeds, until } from './run.ts';
import { readDiskChanges, readFolder, readListeningPorts, readUnits, type Snapshot } from './snapshot.ts';

/** What `exec` takes besides the program: who runs it (dgx where nothing is said) and execa's options. */
export type HostExecOptions = Options & { readonly user?: 'root' | 'dgx' };

/** How a program inside a host ended. */
export interface HostExecResult {
  readonly exitCode: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export class Host {
  readonly name: string;
  readonly address: string;
  readonly sshAddress: string;
  readonly spec: HostSpec;
  readonly arch: Arch;
  private readonly names: LabNames;
  private readonly image: string;

  constructor(names: LabNames, spec: HostSpec, arch: Arch, image: string) {
    ({ name: this.name, address: this.address, sshAddress: this.sshAddress } = spec);
    this.spec = spec;
    this.arch = arch;
    this.names = names;
    this.image = image;
  }

  private get target(): faults.Target {
    return { names: this.names, spec: this.spec };
  }

  /** Folder of the host's file system as it is while the host is off; in use, see `exec`. */
  get root(): string {
    return hostFolders(this.names, this.name).root;
  }

  /** Switch the host on and wait until its sshd answers; one that the operator cannot reach is not waited for. */
  async boot({ waitsForSsh = true }: { waitsForSsh?: boolean } = {}): Promise<void> {
    const { names, spec, name } = this;
    const { root, console: output } = hostFolders(names, name);
    const cgroups = await makeCgroups(`${names.cgroup}/${name}`);
    const line = spec.management ? `${managementPort(spec)}:${spec.management.name}` : '';
    const args = [labFile('start-host.sh'), names.netns, root, name, line, ...cgroups];
    const container = await startKept(names, { file: '/bin/sh', args, output });
    const leader = await until(`${name} has its first process and its lines`, async () => {
      if (!(await readProcessId(container)))
        throw new Error(`${name} did not boot: ${(await readFile(output, 'utf8')).slice(-2000)}`);
      const found = await readLeader(names, name);
      const devices = found === undefined ? '' : await readFile(`/proc/${String(found)}/net/dev`, 'utf8');
      const lines = ['host0', ...(spec.management ? [spec.management.name] : [])];
      return lines.every((device) => devices.includes(`${device}:`)) && found;
    });
    await connectHost(names, spec, leader);
    if (waitsForSsh) await this.waitForSsh();
  }

  /** Cut the host off from power: its lines go silent first, so that no peer sees it close a connection. */
  async powerCut(): Promise<void> {
    const { names, name } = this;
    const container = await readContainer(names, name);
    if (container === undefined) return;
    await setLines(names, faults.portsOf(this.spec), 'down');
    const leader = await readLeader(names, name);
    if (leader !== undefined) sendSignal(leader, 'SIGKILL');
    await until(`${name} is off`, async () => !(await readProcessId(container)));
    await killCgroup(`${names.cgroup}/${name}`);
  }

  /** Power cut, then boot. */
  async reboot(options: { waitsForSsh?: boolean } = {}): Promise<void> {
    await this.powerCut();
    await this.boot(options);
  }

  /** Return whether the host is on. */
  async isOn(): Promise<boolean> {
    return (await readLeader(this.names, this.name)) !== undefined;
  }

  /** Wait until sshd sends its banner; throw after the seconds. */
  async waitForSsh({ seconds = 60 }: { seconds?: number } = {}): Promise<void> {
    if (!(await this.answersSsh({ seconds })))
      throw new Error(`${this.name} (${this.sshAddress}) has sent no ssh banner for ${String(seconds)} s`);
  }

  /** Return whether sshd sends its banner within about this many seconds. */
  async answersSsh({ seconds = 1 }: { seconds?: number } = {}): Promise<boolean> {
    const script = [labFile('wait-for-ssh.sh'), this.sshAddress, String(seconds)];
    return succeeds('nsenter', inNetwork(this.names, 'bash', ...script));
  }

  /** Wait until systemd has started everything, and return its verdict, which is `running` on a sound host. */
  async readSystemState(): Promise<string> {
    const { stdout } = await this.exec(['systemctl', 'is-system-running', '--wait'], {
      user: 'root',
      reject: false,
    });
    return stdout.trim();
  }

  /** Run a program inside the host and return how it ended; throw where it fails, unless `reject` is false. */
  async exec(argv: readonly string[], options: HostExecOptions = {}): Promise<HostExecResult> {
    const { user: who = 'dgx', ...rest } = options;
    const leader = await this.requireLeader();
    const ids = [`--reuid=${user.name}`, `--regid=${String(userGroups(this.arch).id)}`, '--init-groups'];
    const become = who === 'dgx' ? ['setpriv', ...ids] : [];
    const inside = [...become, 'env', '-i', ...environmentOf(who), ...argv];
    const args = [
      labFile('enter-host.sh'),
      String(leader),
      ...(await readCgroupsOf(leader)),
      '--',
      ...inside,
    ];
    const stdin = 'input' in rest || 'stdio' in rest ? {} : { stdin: 'ignore' as const };
    const result = await execa('/bin/sh', args, { ...stdin, ...rest, encoding: 'utf8', lines: false });
    return {
      exitCode: result.exitCode,
      stdout: String(result.stdout ?? ''),
      stderr: String(result.stderr ?? ''),
    };
  }

  /** Read a file of the running host, by a path without absolute links. No process is started for it. */
  async readFile(path: string): Promise<string> {
    return readFile(join('/proc', String(await this.requireLeader()), 'root', path), 'utf8');
  }

  /** Write a file on the running host, as its user where nothing else is said. */
  async writeFile(
    path: string,
    text: string,
    { user: who = 'dgx' }: { user?: 'root' | 'dgx' } = {},
  ): Promise<void> {
    await this.exec(['sh', '-c', 'mkdir -p "$(dirname "$1")" && cat >"$1"', 'sh', path], {
      user: who,
      input: text,
    });
  }

  /** Read all processes of the host; empty where it is off. */
  async processes(): Promise<HostProcess[]> {
    return readHostProcesses(await readCgroupPids(`${this.names.cgroup}/${this.name}/payload`));
  }

  /** Take down what is on the running host, to be compared with another moment. */
  async snapshot(): Promise<Snapshot> {
    const leader = await this.requireLeader();
    const inside = `/proc/${String(leader)}/root`;
    const temporary = await Promise.all(['tmp', 'dev/shm'].map((folder) => readFolder(inside, folder)));
    const processes = (await this.processes()).filter((found) => !found.isOfLogin);
    return {
      files: Object.assign(
        {},
        await readDiskChanges(hostFolders(this.names, this.name).upper, this.image),
        ...temporary,
      ),
      units: await readUnits((argv, who) => this.exec(argv, { user: who, reject: false })),
      ports: await readListeningPorts(leader),
      processes: processes
        .map(({ uid, commandLine }) => `${String(uid)}: ${commandLine.join(' ')}`)
        .toSorted(),
    };
  }

  /** Paths of the device nodes that stand for the GPU. */
  get gpuDevices(): readonly string[] {
    return gpuDevices[this.spec.kind];
  }

  cutOff = (line?: 'cluster' | 'management') => faults.cutOff(this.target, line);
  isolateFrom = (other: Host | 'operator') =>
    faults.isolateFrom(this.target, other === 'operator' ? other : other.spec);
  lose = (share: { percent: number }) => faults.lose(this.target, share);
  packetsLost = () => faults.packetsLost(this.target);
  slow = (rate: { rateKbit: number }) => faults.slow(this.target, rate);
  freeze = () => faults.freeze(this.target);
  thaw = () => faults.thaw(this.target);
  dropPort = (port: number) => faults.closePort(this.target, port, 'drop');
  rejectPort = (port: number, options: { from?: string } = {}) =>
    faults.closePort(this.target, port, 'reject', options);
  fillDisk = (path: string, size: { freeBytes: number }) => faults.fillDisk(this.target, path, size);
  heal = () => faults.heal(this.target);

  private async requireLeader(): Promise<number> {
    const leader = await readLeader(this.names, this.name);
    if (leader === undefined) throw new Error(`${this.name} is off`);
    return leader;
  }
}

/** The environment of a login, without which `systemctl --user` finds no manager. */
function environmentOf(who: 'root' | 'dgx'): string[] {
  const path = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  if (who === 'root') return ['-C', '/root', 'HOME=/root', 'USER=root', 'LANG=C.UTF-8', path];
  const { name, id, home } = user;
  const runtime = `/run/user/${String(id)}`;
  const login = [`HOME=${home}`, `USER=${name}`, `LOGNAME=${name}`, 'SHELL=/bin/bash', 'LANG=C.UTF-8', path];
  const session = [`XDG_RUNTIME_DIR=${runtime}`, `DBUS_SESSION_BUS_ADDRESS=unix:path=${runtime}/bus`];
  return ['-C', home, ...login, ...session];
}
