/**
 * The lab: real hosts with their own systemd on this one machine, in a network without a way out. Start it, use its
 * hosts, stop it; it also goes down when the process that started it ends.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa, type Options } from 'execa';
import { acquireEmulator } from './binfmt.ts';
import { ensureEmulator } from './emulator.ts';
import { Host } from './host.ts';
import { mountHost, readHostKey, writeHostFiles } from './host-files.ts';
import { hostSpec, hostSpecs, parseAarch64, type Arch } from './hosts.ts';
import { ensureImage } from './image.ts';
import { startKeeper } from './keeper-client.ts';
import { whileLocked } from './lock.ts';
import { defaultLabName, hostFolders, namesOf, type LabNames } from './names.ts';
import { inNetwork, makeNetwork } from './network.ts';
import { ensureOperatorKey, operatorEnvironment, writeOperatorHome } from './operator.ts';
import { ensureLabPackages } from './packages.ts';
import { isAlive, readSelf, type ProcessId } from './processes.ts';
import { startRelay, type Relay } from './relays.ts';
import { until, type Log } from './run.ts';
import { readSavedHosts, restoreDisks, saveDisks } from './saved.ts';
import { claimFolder, isKept, readState, writeState, type LabState } from './state.ts';
import { tearDown } from './tear-down.ts';

export interface LabOptions {
  /** Name of the lab; labs of different names run side by side. `WINDLASS_LAB` or `lab` where nothing is said. */
  readonly name?: string;
  /** Hosts that shall be aarch64; `WINDLASS_LAB_AARCH64` (names or `all`) where nothing is said. */
  readonly aarch64?: readonly string[];
  /** The hosts wanted; all four where nothing is said. */
  readonly only?: readonly string[];
  /** Label of a saved state to start from, instead of fresh hosts; it says which hosts there are. */
  readonly from?: string;
  /** Whether the lab stays when this process ends. */
  readonly stays?: boolean;
  readonly log?: Log;
}

export class Lab {
  readonly names: LabNames;
  readonly hosts: readonly Host[];
  private readonly keeper: ProcessId;

  private constructor(names: LabNames, hosts: readonly Host[], keeper: ProcessId) {
    this.names = names;
    this.hosts = hosts;
    this.keeper = keeper;
  }

  /** Boot a lab and wait until every host answers ssh. What a dead process left under the same name is removed. */
  static async start(options: LabOptions = {}): Promise<Lab> {
    const names = namesOf(options.name ?? defaultLabName());
    const log = options.log ?? (() => undefined);
    const saved = options.from === undefined ? undefined : await requireSaved(options.from);
    const wanted = saved ?? chooseHosts(options);
    await makeRoom(names);
    const images = await ensureImages(
      wanted.map(({ arch }) => arch),
      log,
    );
    const hosts = wanted.map(({ name, arch }) => ({ name, arch, image: images.get(arch) ?? '' }));
    const state = { starter: await readSelf(), stays: options.stays ?? false, hosts };
    await whileLocked(names, () => claimFolder(names, state));
    try {
      const keeper = await prepare(names, state, options.from);
      const lab = new Lab(names, makeHosts(names, hosts), keeper);
      log(`booting ${hosts.map((host) => `${host.name} (${host.arch})`).join(', ')}`);
      await bootAll(lab.hosts);
      return lab;
    } catch (error) {
      await tearDown(names.name).catch((also: unknown) => {
        log(`the lab that did not start could not be taken down either: ${String(also)}`);
      });
      throw error;
    }
  }

  /** Use a lab that another process started. */
  static async attach(name = defaultLabName()): Promise<Lab> {
    const names = namesOf(name);
    const state = await readState(names);
    if (!state?.keeper || !(await isAlive(state.keeper)))
      throw new Error(`no lab ${name} runs; start it: npm run lab -- up`);
    return new Lab(names, makeHosts(names, state.hosts), state.keeper);
  }

  /** Take everything down and wait until nothing is left. */
  async stop(): Promise<void> {
    await tearDown(this.names.name);
  }

  /**
   * Keep the hosts' disks and the operator's home as they are now under a label, for `Lab.start({ from })`. The hosts
   * are cut off from power for it and booted again.
   */
  async save(label: string): Promise<void> {
    const state = await readState(this.names);
    await Promise.all(this.hosts.map((host) => host.powerCut()));
    await saveDisks(this.names, state?.hosts ?? [], label);
    await bootAll(this.hosts);
  }

  /** Return whether a lab can be started from a label. */
  static async isSaved(label: string): Promise<boolean> {
    return (await readSavedHosts(label)) !== undefined;
  }

  /** Return a host by name. */
  host(name: string): Host {
    const found = this.hosts.find((host) => host.name === name);
    if (!found)
      throw new Error(`this lab has no host ${name}; it has ${this.hosts.map((h) => h.name).join(', ')}`);
    return found;
  }

  /** The operator's home folder: `.ssh/config`, a key, and the hosts' true keys in `known_hosts`. */
  get operator(): string {
    return this.names.operatorHome;
  }

  /** Return the environment of the operator's processes; it does not inherit this process's own. */
  operatorEnv(): Record<string, string> {
    return operatorEnvironment(this.names);
  }

  /** Run a program as the operator: in the lab's network, with the operator's environment, on this machine's files. */
  exec<T extends Options>(file: string, args: readonly string[] = [], options?: T) {
    const env = { ...this.operatorEnv(), ...options?.env };
    const input = options?.stdio === undefined ? { stdin: 'ignore' } : {};
    const merged = { ...input, ...options, env, extendEnv: false } as unknown as T;
    return execa('nsenter', inNetwork(this.names, file, ...args), merged);
  }

  /** Let the hosts reach a server of this machine that listens on a Unix socket, at an address of the operator's. */
  async relayIn({ listen, socket }: { listen: string; socket: string }): Promise<Relay> {
    return startRelay(this.names, { listen, to: socket, inside: true });
  }

  /** Let this machine reach an address in the lab's network, at a loopback address of its own. */
  async relayOut({ listen, to }: { listen: string; to: string }): Promise<Relay> {
    const socket = join(this.names.relays, `out-${listen.replaceAll(/[^\w.]/g, '-')}.sock`);
    const inner = await startRelay(this.names, { listen: socket, to, inside: true });
    const outer = await startRelay(this.names, { listen, to: socket, inside: false });
    return { stop: async () => void (await Promise.all([outer.stop(), inner.stop()])) };
  }

  /** Return whether the lab's keeper still lives; without it no host can be booted. */
  async isKept(): Promise<boolean> {
    return isAlive(this.keeper);
  }

  /** Read what the hosts' consoles have shown, for a report of a failure. */
  async readConsole(host: string): Promise<string> {
    return readFile(hostFolders(this.names, host).console, 'utf8');
  }
}

/** Install and build what hosts of these architectures need; where it is there already this costs nothing. */
export async function ensureImages(archs: readonly Arch[], log: Log): Promise<Map<Arch, string>> {
  await ensureLabPackages(log);
  if (archs.includes('aarch64')) await ensureEmulator(log);
  const images = new Map<Arch, string>();
  for (const arch of archs) images.set(arch, images.get(arch) ?? (await ensureImage(arch, log)));
  return images;
}

/** Boot hosts at once; all have come up or given up when it returns, so that nothing starts behind a tear-down. */
async function bootAll(hosts: readonly Host[]): Promise<void> {
  const results = await Promise.allSettled(hosts.map((host) => host.boot()));
  const reasons = results.flatMap((result) => (result.status === 'rejected' ? [String(result.reason)] : []));
  if (reasons.length > 0) throw new Error(reasons.join('\n'));
}

async function requireSaved(label: string): Promise<LabState['hosts']> {
  const hosts = await readSavedHosts(label);
  if (!hosts) throw new Error(`no lab is saved as ${label}, or its image has been replaced since`);
  return hosts;
}

function chooseHosts({ only, aarch64 }: LabOptions): { name: string; arch: Arch }[] {
  const emulated = aarch64 ?? parseAarch64(process.env['WINDLASS_LAB_AARCH64'] ?? '');
  for (const name of [...emulated, ...(only ?? [])]) hostSpec(name);
  const chosen = hostSpecs.filter(({ name }) => only === undefined || only.includes(name));
  return chosen.map(({ name }) => ({ name, arch: emulated.includes(name) ? 'aarch64' : 'x86_64' }));
}

function makeHosts(names: LabNames, hosts: LabState['hosts']): Host[] {
  return hosts.map(({ name, arch, image }) => new Host(names, hostSpec(name), arch, image));
}

/** Refuse to take a name that lives; remove what a dead lab of that name has left. */
async function makeRoom(names: LabNames): Promise<void> {
  const state = await readState(names);
  // The keeper of a lab whose owner has just died is taking it down.
  if (state?.keeper && !state.stays && !(await isAlive(state.starter)))
    await until(`the lab ${names.name} of a dead owner goes down`, async () => !(await isKept(state)));
  else if (state && (await isKept(state)))
    throw new Error(`a lab named ${names.name} runs already; take it down: npm run lab -- down`);
  await tearDown(names.name);
}

async function prepare(names: LabNames, state: LabState, from?: string): Promise<ProcessId> {
  const { hosts, stays } = state;
  const keeper = await startKeeper(names, { owned: !stays });
  await writeState(names, { ...state, keeper });
  if (hosts.some(({ arch }) => arch === 'aarch64')) await acquireEmulator(keeper);
  await makeNetwork(names);
  const { publicKey } = await ensureOperatorKey();
  const keys = new Map<string, string>();
  if (from !== undefined) await restoreDisks(names, hosts, from);
  for (const { name, arch, image } of hosts) {
    await mountHost(names, name, image);
    const { root } = hostFolders(names, name);
    if (from === undefined) await writeHostFiles(root, hostSpec(name), arch, publicKey);
    keys.set(name, await readHostKey(root));
  }
  await writeOperatorHome(
    names,
    hosts.map(({ name }) => hostSpec(name)),
    keys,
  );
  return keeper;
}
