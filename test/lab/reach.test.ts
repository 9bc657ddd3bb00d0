/** Bad input that shows only at the nodes: each gets one clear message, and no node is touched. */
import { appendFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, jest, test } from '@jest/globals';
import type { Host } from './host.ts';
import { run, until } from './run.ts';
import type { Snapshot } from './snapshot.ts';
import { Stage } from './stage.ts';

// Booting two hosts and placing one of them; the rest takes seconds.
jest.setTimeout(300_000);

const root = '/home/dgx/.local/share/windlass';

let stage: Stage;
let head: Host;
let other: Host;
let knownHosts: string;

interface Given {
  readonly name?: string;
  readonly head?: string;
  /** The nodes, one line each. */
  readonly nodes?: readonly string[];
  readonly more?: string;
}

const headLine = '{ name: spark-ea8e, address: 10.0.0.25, hardware: spark }';
const otherLine = (fields = 'hardware: spark') => `{ name: spark-4080, address: 10.0.0.22, ${fields} }`;

/** Write a cluster file as the operator and return its path. */
async function clusterFile({
  name = 'reach',
  head: headName = 'spark-ea8e',
  nodes = [headLine, otherLine()],
  more = '',
}: Given = {}): Promise<string> {
  const path = join(stage.lab.operator, `${name}.yaml`);
  const text = [
    `schemaVersion: 1\nname: ${name}\nhead: ${headName}`,
    'nodes:',
    ...nodes.map((node) => `  - ${node}`),
    'model: { id: windlass/tiny-llama, endpoint: http://10.0.0.1:8098 }',
    "engine: { name: sglang, version: '0.5.21' }",
    `parallel: { pipeline: ${nodes.length} }`,
    'environments:',
    "  spark: { python: '3.11', index: http://10.0.0.1:8099/sm120/simple }",
    "  thor: { python: '3.11', index: http://10.0.0.1:8099/sm110/simple }",
    more,
  ];
  await writeFile(path, text.join('\n'));
  return path;
}

/** Both hosts as they are, but for the database of a Temporal service, which writes by itself. */
async function snapshots(): Promise<Snapshot[]> {
  const both = await Promise.all([head, other].map((host) => host.snapshot()));
  return both.map((snapshot) => ({
    ...snapshot,
    files: Object.fromEntries(
      Object.entries(snapshot.files).filter(([path]) => !path.includes('/home/temporal.db')),
    ),
  }));
}

/** Run `up`, which must refuse: returns what it said, after every host was found as it was before. */
async function refused(file: string, exitCode: number, known?: readonly Snapshot[]): Promise<string> {
  const before = known ?? (await snapshots());
  const result = await stage.windlass(['up', file]);
  expect(await snapshots()).toEqual(before);
  expect({ exitCode: result.exitCode, stdout: result.stdout }).toEqual({ exitCode, stdout: '' });
  expect(result.stderr.match(/✗/g)).toHaveLength(1);
  return result.stderr;
}

const asRoot = async (host: Host, ...argv: string[]) => host.exec(argv, { user: 'root' });

beforeAll(async () => {
  stage = await Stage.start({ name: 'reach', only: ['spark-ea8e', 'spark-4080'] });
  [head, other] = [stage.lab.host('spark-ea8e'), stage.lab.host('spark-4080')];
  knownHosts = join(stage.lab.operator, '.ssh/known_hosts');
  // The user's manager comes with a login and goes some seconds after it; here it stays, so that snapshots are equal.
  for (const host of [head, other]) {
    await asRoot(host, 'loginctl', 'enable-linger', 'dgx');
    await asRoot(host, 'systemctl', 'start', 'user@1000.service');
  }
});
afterAll(async () => {
  await stage.stop();
});

describe('ssh', () => {
  /** The operator's known_hosts, with another line for one host or none. */
  async function withKnown(line: string, work: () => Promise<void>): Promise<void> {
    const { stdout } = await stage.lab.exec('cat', [knownHosts]);
    const kept = String(stdout)
      .split('\n')
      .filter((each) => !each.includes('spark-4080'));
    await writeFile(knownHosts, [...kept, line, ''].join('\n'));
    try {
      await work();
    } finally {
      await writeFile(knownHosts, `${String(stdout)}\n`);
    }
  }

  const fingerprint = async () => {
    const key = '/etc/ssh/ssh_host_ed25519_key.pub';
    return (await asRoot(other, 'ssh-keygen', '-lf', key)).stdout.split(' ')[1] ?? '';
  };

  test('a host key that nobody has seen', async () => {
    await withKnown('', async () => {
      const said = await refused(await clusterFile(), 5);
      expect(said).toContain(
        `✗ spark-4080 (10.0.0.22): host key unknown: 10.0.0.22 offered ${await fingerprint()}`,
      );
      expect(said).toContain('SSH_HOST_KEY_UNKNOWN');
      expect(said).toContain('put it in the cluster file: nodes[1].ssh.hostKey');
    });
  });

  test('a host key that changed', async () => {
    const strange = join(stage.lab.operator, 'strange');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', strange]);
    const { stdout: key } = await stage.lab.exec('cat', [`${strange}.pub`]);
    const { stdout: known } = await stage.lab.exec('ssh-keygen', ['-lf', `${strange}.pub`]);
    await withKnown(`10.0.0.22,spark-4080 ${String(key)}`, async () => {
      const said = await refused(await clusterFile(), 5);
      expect(said).toContain(
        `✗ spark-4080 (10.0.0.22): host key changed: expected ${String(known).split(' ')[1] ?? ''} (${knownHosts}:`,
      );
      expect(said).toContain(`the host offered ${await fingerprint()}`);
      expect(said).toContain('SSH_HOST_KEY_CHANGED');
      expect(said).toContain('Nothing was sent to it.');
    });
  });

  test('a pin of the cluster file that another key answers', async () => {
    const pin = `SHA256:${'a'.repeat(43)}`;
    const said = await refused(
      await clusterFile({ nodes: [headLine, otherLine(`hardware: spark, ssh: { hostKey: "${pin}" }`)] }),
      5,
    );
    expect(said).toContain(`host key changed: expected`);
    expect(said).toContain(pin);
  });

  test('a key that opens nothing there; no password is tried although the server takes one', async () => {
    const key = join(stage.lab.operator, 'closed');
    await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
    const setting = '/etc/ssh/sshd_config.d/00-password.conf';
    await other.writeFile(setting, 'PasswordAuthentication yes\n', { user: 'root' });
    await asRoot(other, 'systemctl', 'reload', 'ssh');
    const said = await refused(
      await clusterFile({ nodes: [headLine, otherLine(`ssh: { identityFile: ${key} }`)] }),
      1,
    );
    expect(said).toContain('✗ spark-4080 (10.0.0.22): 10.0.0.22 refused the login as dgx');
    expect(said).toContain('the server takes publickey, password');
    expect(said).toContain('SSH_AUTH');
    expect(said).toContain('~/.ssh/authorized_keys');
    // The last line of a login that came to nothing; a password that was tried would stand before it.
    // By its own name: the journal does not know the unit of a process that has ended before it was looked at.
    const journal = await until(
      'sshd has written of the login',
      async () => {
        const { stdout } = await asRoot(other, 'journalctl', '--no-pager', '-t', 'sshd');
        return stdout.includes('authenticating user dgx') && stdout;
      },
      { everyMs: 200 },
    );
    expect(journal).not.toContain('Failed password');
    await asRoot(other, 'rm', setting);
    await asRoot(other, 'systemctl', 'reload', 'ssh');
  });

  test('an agent that ssh is told to forward stays with the operator', async () => {
    await appendFile(join(stage.lab.operator, '.ssh/config'), '  ForwardAgent yes\n');
    const socket = join(stage.lab.operator, 'agent.sock');
    const agent = stage.lab.exec('ssh-agent', ['-D', '-a', socket], { reject: false });
    // sshd runs this for every session, in the session's environment.
    await other.writeFile('/etc/ssh/sshrc', 'env >>/tmp/sessions\n', { user: 'root' });
    try {
      await until('the agent listens', async () => (await stat(socket).catch(() => null))?.isSocket());
      const result = await stage.windlass(['check', await clusterFile()], { env: { SSH_AUTH_SOCK: socket } });
      expect(result).toMatchObject({ exitCode: 0 });
      const forwarded = await stage.lab.exec('ssh', ['spark-4080', 'true'], {
        env: { PATH: `${stage.lab.operator}/bin:/usr/bin:/bin`, SSH_AUTH_SOCK: socket },
      });
      expect(forwarded.exitCode).toBe(0);
      const sessions = (await other.readFile('/tmp/sessions')).split('SSH_CLIENT=').slice(1);
      expect(sessions.map((session) => session.includes('SSH_AUTH_SOCK='))).toEqual([false, true]);
    } finally {
      agent.kill();
      await agent;
      await asRoot(other, 'rm', '-f', '/etc/ssh/sshrc', '/tmp/sessions');
    }
  });

  test('something that does not speak ssh', async () => {
    const said = await refused(
      await clusterFile({ nodes: [headLine, otherLine('ssh: { host: 10.0.0.1, port: 8099 }')] }),
      1,
    );
    expect(said).toContain('10.0.0.1:8099 is not an ssh server; it said HTTP/1.1 400');
    expect(said).toContain('Set ssh.port in the cluster file.');
  });
});

describe('the machine', () => {
  test('is of a platform that windlass has nothing for', async () => {
    const fake = '/usr/local/bin/uname';
    await other.writeFile(fake, '#!/bin/sh\n[ "$1" = -m ] && echo riscv64 || exec /usr/bin/uname "$@"\n', {
      user: 'root',
    });
    await asRoot(other, 'chmod', '755', fake);
    try {
      const said = await refused(await clusterFile(), 3);
      expect(said).toMatch(/platform +spark-4080 +the machine is riscv64; nodes are x86_64 or aarch64/);
      expect(said).toContain('(nothing has been changed)');
    } finally {
      await asRoot(other, 'rm', fake);
    }
  });

  test('is not of the hardware class of the file', async () => {
    const said = await refused(await clusterFile({ nodes: [headLine, otherLine('hardware: thor')] }), 3);
    expect(said).toMatch(/gpu-class +spark-4080 +the file says thor, the machine is spark \(NVIDIA GB10/);
    expect(said).toContain('Set nodes[].hardware to spark or auto, or correct nodes[].address.');
  });

  test('has no room', async () => {
    await asRoot(other, 'install', '-d', '-o', 'dgx', '/srv/small');
    await other.fillDisk('/srv/small', { freeBytes: 3 * 2 ** 20 });
    const said = await refused(await clusterFile({ more: 'root: /srv/small/windlass' }), 3);
    expect(said).toMatch(/disk-environment +spark-4080 +\/srv\/small\S* has 0\.0 GiB free/);
    expect(said).toContain('or set root to a larger disk');
    expect((await asRoot(other, 'ls', '-A', '/srv/small')).stdout).toBe('');
  });

  test('has a stranger on the port of the API', async () => {
    await asRoot(
      head,
      ...['systemd-run', '--quiet', '--unit=stranger', '--uid=dgx'],
      ...['python3', '-m', 'http.server', '5000', '--bind', '10.0.0.25', '--directory', '/usr/share'],
    );
    await until('the stranger listens', async () =>
      (await head.snapshot()).ports.some((port) => port.endsWith(':5000')),
    );
    try {
      const said = await refused(await clusterFile(), 3);
      expect(said).toMatch(
        /port-free +spark-ea8e +TCP 5000 is held by python3 \(pid \d+, user dgx, stranger\.service\), which/,
      );
      expect(said).toContain('or set serving.port.');
    } finally {
      await asRoot(head, 'systemctl', 'stop', 'stranger');
    }
  });
});

describe('a node of another home', () => {
  let home: string;
  // One for all: it reads everything that was placed.
  let before: Snapshot[];

  beforeAll(async () => {
    const first = await clusterFile({ name: 'first', head: 'spark-4080', nodes: [otherLine()] });
    const started = await stage.windlass(['up', first, '--detach']);
    expect(started).toMatchObject({ exitCode: 130, stderr: expect.stringContaining('detached') as unknown });
    const owner = await until(
      'the first cluster owns the node',
      async () => (await other.readFile(`${root}/owner.json`).catch(() => '')) || undefined,
      { seconds: 60 },
    );
    ({ home } = JSON.parse(owner) as { home: string });
    expect(await stage.windlass(['down', first])).toMatchObject({ exitCode: 0 });
    before = await snapshots();
  });

  test('is left to it, and named with it', async () => {
    const said = await refused(await clusterFile({ name: 'second' }), 3, before);
    expect(said).toMatch(
      new RegExp(`owner +spark-4080 +the node belongs to the cluster first \\(home ${home}\\)`),
    );
    expect(said).toContain('windlass down --purge with the file of first, or choose another node.');
  });

  test('is left to it also where both clusters have one name', async () => {
    const said = await refused(await clusterFile({ name: 'first' }), 3, before);
    expect(said.replaceAll(/\s+/g, ' ')).toContain(
      `the node belongs to another home (${home}) of a cluster that is also called first`,
    );
  });

  test('is neither stopped nor purged by the file of another', async () => {
    const files = await Promise.all(['second', 'first'].map((name) => clusterFile({ name })));
    const results = await Promise.all(files.map((file) => stage.windlass(['down', file, '--purge'])));
    expect(await snapshots()).toEqual(before);
    for (const result of results) {
      expect(result).toMatchObject({ exitCode: 5, stdout: '' });
      expect(result.stderr).toContain(
        `✗ spark-4080 (10.0.0.22): the node belongs to the cluster first (home ${home})`,
      );
    }
  });
});
