/**
 * Faults of one host, each a call, all undone by `heal`. They are set from outside the host, where its own user could
 * not do it, and none needs anything on the host (an emulated host has no working iptables).
 */
import { setFrozen } from './cgroups.ts';
import type { HostSpec } from './hosts.ts';
import type { LabNames } from './names.ts';
import { clusterPort, inNetwork, managementPort, setLines } from './network.ts';
import { readLeader } from './leader.ts';
import { run, succeeds } from './run.ts';

/** A running host, to be harmed. */
export interface Target {
  readonly names: LabNames;
  readonly spec: HostSpec;
}

const table = 'lab_faults';

const insideNetwork = async ({ names, spec }: Target, script: string): Promise<void> => {
  const leader = await readLeader(names, spec.name);
  if (leader !== undefined) await run('nsenter', ['-t', String(leader), '-n', '--', 'sh', '-ec', script]);
};
const outsideNetwork = async ({ names }: Target, script: string): Promise<void> => {
  await run('nsenter', inNetwork(names, 'sh', '-ec', script));
};

/** Names of the host's lines at the bridge. */
export const portsOf = (spec: HostSpec): string[] =>
  spec.management ? [clusterPort(spec), managementPort(spec)] : [clusterPort(spec)];

/** Pull the host's cables: it sees no carrier, and others see silence. `line` pulls only one. */
export async function cutOff(target: Target, line?: 'cluster' | 'management'): Promise<void> {
  const { spec } = target;
  const ports = { cluster: [clusterPort(spec)], management: [managementPort(spec)], all: portsOf(spec) };
  await setLines(target.names, ports[line ?? 'all'], 'down');
}

/** Let no packet pass between two hosts, or between the host and the operator, while both reach everybody else. */
export async function isolateFrom(target: Target, other: HostSpec | 'operator'): Promise<void> {
  const mine = `{ ${portsOf(target.spec).join(', ')} }`;
  const rules =
    other === 'operator'
      ? [`input iifname ${mine} drop`, `output oifname ${mine} drop`]
      : [
          `forward iifname ${mine} oifname { ${portsOf(other).join(', ')} } drop`,
          `forward iifname { ${portsOf(other).join(', ')} } oifname ${mine} drop`,
        ];
  await addBridgeRules(target, bridgeTable(target.spec), rules);
}

/** Lose a share of all packets that the host sends and receives, in percent, each by itself. */
export async function lose(target: Target, { percent }: { percent: number }): Promise<void> {
  const mine = `{ ${portsOf(target.spec).join(', ')} }`;
  // nft refuses a comparison that always holds.
  const share = percent < 100 ? `numgen random mod 100 < ${String(percent)} ` : '';
  const rules = ['input iifname', 'forward iifname', 'forward oifname', 'output oifname'];
  await outsideNetwork(target, quietly([removeTable(lossTable(target.spec))]));
  await addBridgeRules(
    target,
    lossTable(target.spec),
    rules.map((rule) => `${rule} ${mine} ${share}counter drop`),
  );
}

/** How many packets the host has lost since `lose`. */
export async function packetsLost({ names, spec }: Target): Promise<number> {
  const rules = await run('nsenter', inNetwork(names, 'nft', 'list', 'table', 'bridge', lossTable(spec)));
  return [...rules.matchAll(/counter packets (\d+)/g)].reduce((sum, [, count]) => sum + Number(count), 0);
}

const bridgeTable = (spec: HostSpec): string => `${table}_${spec.name.replaceAll('-', '_')}`;
const lossTable = (spec: HostSpec): string => `${bridgeTable(spec)}_loss`;
const removeTable = (name: string): string => `nft delete table bridge ${name}`;

/** Add rules at the bridge, each with the hook that it stands in, to a table. */
async function addBridgeRules({ names }: Target, name: string, rules: readonly string[]): Promise<void> {
  const chains = ['input', 'output', 'forward'].map(
    (hook) => `add chain bridge ${name} ${hook} { type filter hook ${hook} priority 0; }`,
  );
  const script = [
    `add table bridge ${name}`,
    ...chains,
    ...rules.map((rule) => `add rule bridge ${name} ${rule}`),
  ];
  await run('nsenter', inNetwork(names, 'nft', '-f', '-'), {
    input: `${script.join('\n')}\n`,
    stdin: 'pipe',
  });
}

/** Limit what the host sends and receives to a rate, in kilobits a second each way. */
export async function slow(target: Target, { rateKbit }: { rateKbit: number }): Promise<void> {
  const shape = (device: string) =>
    `tc qdisc replace dev ${device} root tbf rate ${String(rateKbit)}kbit burst 32k latency 50ms`;
  const { cluster, management } = target.spec;
  await outsideNetwork(target, portsOf(target.spec).map(shape).join('\n'));
  await insideNetwork(
    target,
    [cluster, management].flatMap((line) => (line ? shape(line.name) : [])).join('\n'),
  );
}

/** Stop every process of the host at once: it still accepts connections and never says a word. */
export async function freeze({ names, spec }: Target): Promise<void> {
  await setFrozen(`${names.cgroup}/${spec.name}/payload`, true);
}

/** Let a frozen host go on where it was. */
export async function thaw({ names, spec }: Target): Promise<void> {
  await setFrozen(`${names.cgroup}/${spec.name}/payload`, false);
}

/**
 * Answer nothing on a TCP port of the host (`drop`), or refuse (`reject`), until it is healed or reboots; `from` one
 * address, or whoever asks.
 */
export async function closePort(
  target: Target,
  port: number,
  how: 'drop' | 'reject',
  { from }: { from?: string } = {},
): Promise<void> {
  const source = from === undefined ? '' : `ip saddr ${from} `;
  const verdict = how === 'drop' ? 'drop' : 'reject with tcp reset';
  await insideNetwork(
    target,
    `nft 'add table inet ${table}; add chain inet ${table} input { type filter hook input priority -10; };
      add rule inet ${table} input ${source}tcp dport ${String(port)} ${verdict}'`,
  );
}

const unshape = (device: string) => `tc qdisc del dev ${device} root`;
const quietly = (commands: string[]) =>
  commands.map((command) => `${command} 2>/dev/null || true`).join('\n');

/** Undo every fault of the host that is still in force. */
export async function heal(target: Target): Promise<void> {
  const { names, spec } = target;
  const leader = await readLeader(names, spec.name);
  if (leader === undefined) return;
  await thaw(target);
  await setLines(names, portsOf(spec), 'up');
  await outsideNetwork(
    target,
    quietly([...portsOf(spec).map(unshape), ...[bridgeTable(spec), lossTable(spec)].map(removeTable)]),
  );
  const devices = [spec.cluster, spec.management].flatMap((line) => line?.name ?? []);
  await insideNetwork(target, quietly([...devices.map(unshape), `nft delete table inet ${table}`]));
  await growDisks(leader);
}

const diskSource = 'lab-small-disk';

/**
 * Put a small disk under a folder of the host that holds what is there now and `freeBytes` more. What is written to it
 * is lost when the host is cut off from power; healing makes the disk large instead of removing it.
 */
export async function fillDisk(
  target: Target,
  path: string,
  { freeBytes }: { freeBytes: number },
): Promise<void> {
  const leader = await readLeader(target.names, target.spec.name);
  if (leader === undefined) throw new Error(`${target.spec.name} is off`);
  const script = `
    used=$(du -sB4096 "$1" | cut -f1)
    stage=$(mktemp -d /run/lab-disk.XXXXXX)
    mount -t tmpfs -o size=$((used * 4096 + $2)),mode=$(stat -c %a "$1"),uid=$(stat -c %u "$1"),gid=$(stat -c %g "$1") \
      ${diskSource} "$stage"
    cp -a "$1/." "$stage"
    mount --bind "$stage" "$1"
    umount "$stage"
    rmdir "$stage"`;
  const inside = ['-t', String(leader), '-m', '-p', '--', 'sh', '-ec', script, 'sh', path, String(freeBytes)];
  await run('nsenter', inside);
}

async function growDisks(leader: number): Promise<void> {
  const script = `grep '^${diskSource} ' /proc/mounts | while read -r _ path _; do
    mount -o remount,size=50% "$path"
  done`;
  await succeeds('nsenter', ['-t', String(leader), '-m', '-p', '--', 'sh', '-c', script]);
}
