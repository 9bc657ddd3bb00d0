/**
 * The lab itself: that its hosts behave as machines do, that its faults are what they say, and that nothing of it
 * gets out or stays.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, jest, test } from '@jest/globals';
import { execa } from 'execa';
import type { Host } from './host.ts';
import { Lab } from './lab.ts';
import { cacheFolder, labFile, namesOf, repositoryRoot } from './names.ts';
import { endProcess, isAlive, readProcessId } from './processes.ts';
import { until } from './run.ts';
import { readState } from './state.ts';
import { leftovers, sweepAll } from './tear-down.ts';

// Booting hosts takes seconds, on a machine that does other things too several times as many.
jest.setTimeout(120_000);

const port = 7777;
/** What a peer of sshd writes once it has its banner. */
const greeted = '/tmp/greeted';

/** Connect from the operator's side and say how it went: `open`, `refused`, `unreachable` or `silent`. */
async function connect(lab: Lab, address: string, to: number): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/${String(to)}`;
  const { exitCode, stderr } = await lab.exec('timeout', ['1', 'bash', '-c', script], { reject: false });
  return explainConnect(exitCode, stderr);
}

async function connectFrom(host: Host, address: string, to: number): Promise<string> {
  const script = `exec 3<>/dev/tcp/${address}/${String(to)}`;
  const { exitCode, stderr } = await host.exec(['timeout', '1', 'bash', '-c', script], { reject: false });
  return explainConnect(exitCode, stderr);
}

function explainConnect(exitCode: number | undefined, stderr: string): string {
  if (exitCode === 0) return 'open';
  if (exitCode === 124) return 'silent';
  if (stderr.includes('refused')) return 'refused';
  return stderr.includes('Network is unreachable') ? 'unreachable' : stderr;
}

/** Start a server on the host that answers on `port`. */
async function serve(host: Host): Promise<void> {
  const server = [
    'python3',
    '-m',
    'http.server',
    String(port),
    '--bind',
    host.address,
    '--directory',
    '/etc',
  ];
  await host.exec(['systemd-run', '--quiet', '--unit=test-server', ...server], { user: 'root' });
  await until('the server listens', async () =>
    (await host.snapshot()).ports.includes(`tcp ${host.address}:${String(port)}`),
  );
}

describe('a lab of two hosts', () => {
  const name = `self-test-${String(process.pid)}`;
  let lab: Lab;
  let spark: Host;
  let thor: Host;

  beforeAll(async () => {
    lab = await Lab.start({ name, aarch64: [], only: ['spark-ea8e', 'thorx'] });
    [spark, thor] = [lab.host('spark-ea8e'), lab.host('thorx')];
  });
  // So that the fault of a test that failed is not the next one's.
  afterEach(async () => void (await Promise.all(lab.hosts.map((host) => host.heal()))));
  afterAll(async () => {
    await lab.stop();
    expect(await leftovers(name)).toEqual([]);
  });

  test('the operator logs in by name, and only to hosts whose true key is known', async () => {
    const { stdout } = await lab.exec('ssh', ['thorx', 'hostname; id -un']);
    expect(stdout).toBe('thorx\ndgx');
    const stranger = ['-o', 'UserKnownHostsFile=/dev/null', 'thorx', 'true'];
    await expect(lab.exec('ssh', stranger)).rejects.toThrow('Host key verification failed');
  });

  test('every host is a sound system with an identity of its own', async () => {
    expect(await spark.readSystemState()).toBe('running');
    expect(await thor.readSystemState()).toBe('running');
    expect(await spark.readFile('/etc/machine-id')).not.toBe(await thor.readFile('/etc/machine-id'));
    expect((await spark.exec(['stat', '-c', '%U:%G %a', ...spark.gpuDevices])).stdout).toBe('root:video 660');
    expect((await spark.exec(['id', '-Gn'])).stdout).toBe('dgx video render');
  });

  test('interfaces, cluster address and ssh address differ between hosts', async () => {
    expect((await spark.exec(['ip', '-br', '-4', 'addr'])).stdout).toMatch(
      /^enp1s0f0np0@\S+ +UP +10.0.0.25\/24/m,
    );
    const { stdout } = await thor.exec(['ip', '-br', '-4', 'addr']);
    expect(stdout).toMatch(/^mgbe0_0@\S+ +UP +10.0.0.26\/24/m);
    expect(stdout).toMatch(/^eth0@\S+ +UP +10.0.0.126\/24/m);
    expect(await connect(lab, '10.0.0.26', 22)).toBe('refused');
    expect(await connectFrom(spark, '10.0.0.126', 22)).toBe('open');
  });

  test('nothing leads out of the lab, from the operator or from a host', async () => {
    expect((await lab.exec('ip', ['route'])).stdout).toBe(
      '10.0.0.0/24 dev br0 proto kernel scope link src 10.0.0.1 ',
    );
    expect(await connect(lab, '192.0.2.1', 80)).toBe('unreachable');
    expect(await connectFrom(spark, '192.0.2.1', 80)).toBe('unreachable');
    const machine = await execa('ip', ['route', 'get', spark.address], { reject: false });
    expect(machine.stdout).not.toContain('br0');
  });

  test('the command line of the lab runs the program as the operator, and a command inside a host', async () => {
    const main = ['--import', 'tsx', 'test/lab/main.ts'];
    const asked = (...args: string[]) => execa(process.execPath, [...main, ...args], { cwd: repositoryRoot });
    // The words that were said reach the terminal, and the exit code too.
    await expect(asked('windlass', '--name', name, 'up', 'nowhere.yaml')).rejects.toMatchObject({
      exitCode: 2,
      stderr: expect.stringContaining('nowhere.yaml'),
    });
    expect((await asked('exec', '--name', name, 'thorx', 'hostname')).stdout).toBe('thorx');
  });

  test('a power cut keeps the disk and enabled user units, and peers hear nothing', async () => {
    const unit = '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=default.target\n';
    await lab.exec('ssh', ['spark-ea8e', 'loginctl enable-linger']);
    await spark.writeFile('/home/dgx/.config/systemd/user/stays.service', unit);
    await spark.exec(['systemctl', '--user', 'enable', '--now', 'stays.service']);
    const bootId = await spark.readFile('/proc/sys/kernel/random/boot_id');
    const peer = thor.exec(['python3', '-c', listenTo(spark.address)], { reject: false });
    // A connection that the kernel has accepted is not enough: sshd may still owe its banner.
    await until('the peer was greeted', async () => {
      const { exitCode } = await thor.exec(['test', '-e', greeted], { reject: false });
      return exitCode === 0;
    });
    await spark.powerCut();
    expect(await spark.isOn()).toBe(false);
    expect((await peer).stdout).toBe('nothing for 2 s');
    await spark.boot();
    expect(await spark.readFile('/proc/sys/kernel/random/boot_id')).not.toBe(bootId);
    await until('the unit runs again without a login', async () => {
      const state = await spark.exec(['systemctl', '--user', 'is-active', 'stays.service'], {
        reject: false,
      });
      return state.stdout === 'active';
    });
  });

  test('a frozen host accepts connections and says nothing until it thaws', async () => {
    expect(await thor.answersSsh()).toBe(true);
    await thor.freeze();
    expect(await connect(lab, thor.sshAddress, 22)).toBe('open');
    expect(await thor.answersSsh()).toBe(false);
    await thor.thaw();
    await thor.waitForSsh();
  });

  test('a host that is cut off is silent, and back when healed', async () => {
    await thor.cutOff('cluster');
    expect(await connectFrom(spark, thor.address, 22)).not.toBe('refused');
    expect(await thor.answersSsh()).toBe(true);
    await thor.cutOff();
    expect(await thor.answersSsh()).toBe(false);
    await thor.heal();
    await thor.waitForSsh();
    expect(await connectFrom(spark, thor.address, 22)).toBe('refused');
  });

  test('ports can be silent or refused, and two hosts can be kept apart', async () => {
    await serve(thor);
    expect(await connectFrom(spark, thor.address, port)).toBe('open');
    await thor.dropPort(port);
    expect(await connectFrom(spark, thor.address, port)).toBe('silent');
    await thor.heal();
    await thor.rejectPort(port);
    expect(await connectFrom(spark, thor.address, port)).toBe('refused');
    await thor.heal();
    await thor.isolateFrom(spark);
    expect(await connectFrom(spark, thor.address, port)).toBe('silent');
    expect(await connect(lab, thor.address, port)).toBe('open');
    await thor.heal();
    await thor.isolateFrom('operator');
    expect(await connectFrom(spark, thor.address, port)).toBe('open');
    expect(await connect(lab, thor.address, port)).toBe('silent');
    await thor.heal();
    expect(await connect(lab, thor.address, port)).toBe('open');
  });

  test('a line loses the packets that it is to lose, and none when healed', async () => {
    await thor.lose({ percent: 100 });
    expect(await connectFrom(spark, thor.address, 22)).not.toBe('refused');
    expect(await thor.packetsLost()).toBeGreaterThan(0);
    await thor.heal();
    expect(await connectFrom(spark, thor.address, 22)).toBe('refused');
  });

  test('a slow line is slow, and fast again when healed', async () => {
    const transfer = async () => {
      const begin = performance.now();
      await lab.exec('ssh', ['thorx', 'head -c 600000 /dev/zero']);
      return performance.now() - begin;
    };
    await thor.slow({ rateKbit: 1600 });
    const slowed = await transfer();
    expect(slowed).toBeGreaterThan(2500);
    await thor.heal();
    expect(await transfer()).toBeLessThan(slowed / 2);
  });

  test('a small disk is full after what it may hold, and large when healed', async () => {
    await spark.fillDisk('/home/dgx', { freeBytes: 1_000_000 });
    const fill = ['sh', '-c', 'head -c 4000000 /dev/zero >zeros'];
    await expect(spark.exec(fill)).rejects.toThrow('No space left on device');
    expect((await spark.exec(['ls', '.config/systemd/user'])).stdout).toContain('stays.service');
    await spark.heal();
    expect((await spark.exec(fill)).exitCode).toBe(0);
  });

  test('a snapshot is equal while nothing changes and shows what does', async () => {
    const before = await thor.snapshot();
    await lab.exec('ssh', ['thorx', 'true']);
    expect(await thor.snapshot()).toEqual(before);
    await thor.writeFile('/tmp/left-behind', 'x');
    const start = ['systemd-run', '--user', '--quiet', '--unit=left', '--property=Type=exec'];
    await thor.exec([...start, 'sleep', '1000']);
    const after = await thor.snapshot();
    expect(Object.keys(after.files).filter((path) => !(path in before.files))).toEqual(['/tmp/left-behind']);
    expect(after.units.filter((unit) => !before.units.includes(unit))).toEqual(['user left.service active']);
    expect(after.processes.filter((line) => !before.processes.includes(line))).toEqual([
      '1000: /usr/bin/sleep 1000',
    ]);
  });

  test('relays join the lab and this machine at one point each', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'relay-'));
    const socket = join(folder, 'server.sock');
    const server = createServer((request, response) => response.end(`asked for ${request.url ?? ''}`));
    server.listen(socket);
    const inward = await lab.relayIn({ listen: '10.0.0.1:8099', socket });
    expect((await spark.exec(['curl', '-sS', 'http://10.0.0.1:8099/simple/'])).stdout).toBe(
      'asked for /simple/',
    );
    const near = `127.0.0.1:${String(18_000 + (process.pid % 1000))}`;
    const outward = await lab.relayOut({ listen: near, to: `${thor.address}:${String(port)}` });
    const answer = await fetch(`http://${near}/hostname`);
    expect(await answer.text()).toBe('thorx\n');
    await inward.stop();
    await outward.stop();
    expect(await connectFrom(spark, '10.0.0.1', 8099)).toBe('refused');
    server.close();
    await rm(folder, { recursive: true });
  });

  test('a saved lab starts again with the disks it had', async () => {
    const label = `self-test-${String(process.pid)}`;
    await thor.writeFile('/home/dgx/kept', 'as it was');
    await thor.exec(['rm', '/etc/issue'], { user: 'root' });
    await lab.save(label);
    await thor.exec(['rm', 'kept']);
    const again = await Lab.start({ name: `${name}-again`, from: label });
    try {
      expect(again.hosts.map((host) => host.name)).toEqual(['spark-ea8e', 'thorx']);
      const { stdout } = await again.exec('ssh', ['thorx', 'cat kept; ls /etc/issue || true']);
      expect(stdout).toBe('as it was');
      expect(await again.host('thorx').readFile('/etc/machine-id')).toBe(
        await thor.readFile('/etc/machine-id'),
      );
    } finally {
      await again.stop();
      await rm(join(cacheFolder(), 'saved', label), { recursive: true });
    }
    expect(await leftovers(`${name}-again`)).toEqual([]);
  });
});

describe('a lab whose owner is killed', () => {
  const name = `self-test-killed-${String(process.pid)}`;

  /** Start a lab in a process of its own and return that process when the lab is up. */
  async function startOwner() {
    const script = `
      import { Lab } from ${JSON.stringify(labFile('lab.ts'))};
      await Lab.start({ name: '${name}', aarch64: [], only: ['spark-4080'] });
      console.log('up');
      setInterval(() => undefined, 60_000);`;
    const owner = execa(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', script], {
      cwd: repositoryRoot,
      reject: false,
    });
    await once(owner.stdout, 'data'); // iterating over its lines would wait for its end
    const keeper = (await readState(namesOf(name)))?.keeper;
    if (!keeper) throw new Error('the lab has no keeper');
    return { owner, keeper };
  }

  test('is taken down by its keeper', async () => {
    const { owner, keeper } = await startOwner();
    owner.kill('SIGKILL');
    await owner;
    await until('the keeper is done', async () => !(await isAlive(keeper)));
    expect(await leftovers(name)).toEqual([]);
  });

  test('and its keeper, too, is swept, and its name can be used again', async () => {
    const { owner, keeper } = await startOwner();
    await endProcess(keeper, 'SIGKILL');
    owner.kill('SIGKILL');
    await owner;
    expect(await leftovers(name)).not.toEqual([]);
    const starting = Lab.start({ name, aarch64: [], only: ['spark-4080'] });
    await sweepWhile(starting);
    const lab = await starting;
    expect(await lab.host('spark-4080').answersSsh()).toBe(true);
    const again = (await readState(lab.names))?.keeper;
    if (again) await endProcess(again, 'SIGKILL');
    expect(await sweepAll()).toContain(name);
    expect(await leftovers(name)).toEqual([]);
    expect(again && (await readProcessId(again.pid))).toBeUndefined();
  });
});

/** Sweep again and again until a lab has started, as another process may that starts at the same time. */
async function sweepWhile(starting: Promise<unknown>): Promise<void> {
  let isOver = false;
  const over = starting.finally(() => (isOver = true));
  await until('the lab has started', async () => {
    await sweepAll();
    return isOver;
  });
  await over;
}

/** A Python program that holds a connection to an sshd and says what came of it after the banner. */
const listenTo = (address: string): string => `
import pathlib, socket
peer = socket.create_connection(('${address}', 22))
peer.recv(100)
pathlib.Path('${greeted}').touch()
peer.settimeout(2)
try:
    print('closed' if peer.recv(100) == b'' else 'data')
except TimeoutError:
    print('nothing for 2 s')
`;
