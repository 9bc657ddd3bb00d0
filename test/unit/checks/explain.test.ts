import { describe, expect, it } from '@jest/globals';
import type { CheckResult } from '../../../src/cluster/checks/check.ts';
import { explainChecks } from '../../../src/cluster/checks/explain.ts';
import { judgeAll } from '../../../src/cluster/checks/judge.ts';
import { facts, listener, observed, spec, stranger } from './cluster.ts';

const [rootDisk, modelDisk] = facts().disks;
if (!rootDisk || !modelDisk) throw new Error('the facts have two disks');

describe('explainChecks', () => {
  it('shows all problems of all nodes, failures first, in at most 100 columns', () => {
    const results = judgeAll(
      spec,
      observed({
        'spark-ea8e': {
          listeners: [
            listener({ pid: 812, process: 'redis-server', user: 'redis', unit: 'redis-server.service' }),
          ],
          ownNameAddresses: ['127.0.1.1'],
        },
        'spark-4080': { systemd: { ...facts().systemd, linger: false } },
        'jetson-thor': {
          disks: [{ ...rootDisk, freeBytes: 4 * 1024 ** 3 }, modelDisk],
          pythons: [{ path: '/usr/bin/python3.12', version: '3.12.9' }],
        },
        thorx: {
          systemd: { ...facts().systemd, linger: false },
          strangers: [
            stranger({
              kind: 'ollama',
              pid: 31,
              user: 'ollama',
              command: 'ollama serve',
              unit: 'ollama.service',
            }),
          ],
        },
      }),
    );
    const text = explainChecks(results);
    expect(text).toMatchInlineSnapshot(`
     "✗ checks · 3 problems on 2 of 4 nodes (nothing has been changed)
       port-free          spark-ea8e         TCP 6379 is held by redis-server (pid 812, user redis,
                                             redis-server.service), which windlass did not start
         → sudo systemctl stop redis-server.service, or set ray.port.
       disk-environment   jetson-thor        /home/dgx/.local/share/windlass has 4.0 GiB free; an
                                             environment takes 6.1 GiB
         → Free some, or set root to a larger disk.
       equal-python                          Python differs: 3.12.3 on spark-ea8e, 3.12.3 on spark-4080,
                                             3.12.9 on jetson-thor and 3.12.3 on thorx; Ray refuses a
                                             node whose patch differs
         → Set environments.spark.python and environments.thor.python to "3.12.3".
     ! checks · 4 warnings on 3 of 4 nodes
       own-name-loopback  spark-ea8e         spark-ea8e resolves to 127.0.1.1 there, which peers of Gloo
                                             could not reach
         → Nothing to do: windlass sets GLOO_SOCKET_IFNAME=enp1s0f0np0.
       linger             spark-4080, thorx  lingering is off for dgx; windlass up switches it on,
                                             windlass down --purge off again
         → Nothing to do; if a rule forbids it: sudo loginctl enable-linger dgx
       memory-holders     thorx              Ollama holds memory: ollama (pid 31, user ollama)
         → sudo systemctl stop ollama.service"
    `);
    expect(Math.max(...text.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
  });

  it('says in one line that all is well', () => {
    expect(explainChecks(judgeAll(spec, observed()))).toMatchInlineSnapshot(
      `"✓ checks · 94 checks on 4 nodes, no problem"`,
    );
  });

  it('tells what all nodes share once', () => {
    const off = { systemd: { ...facts().systemd, linger: false, polkit: false } };
    const everywhere = Object.fromEntries(spec.nodes.map(({ name }) => [name, off]));
    expect(explainChecks(judgeAll(spec, observed(everywhere)))).toMatchInlineSnapshot(`
     "✗ checks · 4 problems on 4 of 4 nodes (nothing has been changed)
       linger  all nodes  lingering is off for dgx, and without polkit the user cannot switch it on
         → sudo loginctl enable-linger dgx"
    `);
  });

  it('names the nodes of a shared problem also where they do not fit into their column', () => {
    const old = { glibc: '2.17' };
    expect(explainChecks(judgeAll(spec, observed({ 'spark-ea8e': old, 'spark-4080': old, thorx: old }))))
      .toMatchInlineSnapshot(`
     "✗ checks · 3 problems on 3 of 4 nodes (nothing has been changed)
       platform  3 nodes  glibc is 2.17; 2.28 or newer is needed (spark-ea8e, spark-4080, thorx)
         → Run getconf GNU_LIBC_VERSION there; upgrade the system, or choose another machine in
           nodes[].address."
    `);
  });

  it('breaks a word that is longer than a line', () => {
    const result: CheckResult = {
      check: 'path-length',
      title: '',
      scope: 'node',
      node: 'spark-ea8e',
      verdict: 'fail',
      sentence: `/${'x'.repeat(250)} is long`,
      remedy: 'y'.repeat(150),
    };
    const lines = explainChecks([result]).split('\n');
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(lines.join('').replaceAll(/[ →]/g, '')).toContain(`${'x'.repeat(250)}islong${'y'.repeat(150)}`);
  });
});
