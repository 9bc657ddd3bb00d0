/**
 * The demo: four hosts on this machine, one of them aarch64, brought up by one command, with the model's answer, the
 * Temporal UI, and three things to try. `--once` takes everything down again at the end.
 */
import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { Stage, repository } from './stage.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const say = (sentence: string): void => {
  console.log(`demo: ${sentence}`);
};
const file = 'examples/lab.yaml';
const uiPort = 8233;

const stage = await Stage.start({ name: 'demo', aarch64: ['thorx'], log: say });
let isStopping = false;
async function end(code: number): Promise<never> {
  if (!isStopping) {
    isStopping = true;
    say('taking the hosts down');
    await stage.stop();
    say('nothing is left but caches');
  }
  process.exit(code);
}
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    void end(130);
  });
}

say(`windlass up ${file}`);
const up = stage.start(['up', file], { inherit: true });
const { exitCode } = await up;
if (exitCode !== 0) {
  say(`up ended with ${String(exitCode)}`);
  await end(exitCode ?? 1);
}
if (values.once) await end(0);

// The web page listens on the head's loopback; ssh brings it to the operator, the relay to this machine's browser.
const ssh = stage.lab.exec('ssh', ['-N', '-L', `127.0.0.1:${uiPort}:127.0.0.1:${uiPort}`, 'spark-ea8e'], {
  reject: false,
});
void ssh;
await stage.lab.relayOut({ listen: `127.0.0.1:${uiPort}`, to: `127.0.0.1:${uiPort}` });
console.log(`
The cluster is up. Temporal's web page: http://127.0.0.1:${uiPort}/namespaces/windlass/workflows

Three things to try, in another terminal (each from ${repository}):
  1  kill a node worker while you bring it up again
       npm run lab -- exec --name demo spark-4080 pkill -9 -f node-worker.js
  2  cut a node's power, and boot it again
       npm run lab -- power-cut --name demo jetson-thor; npm run lab -- boot --name demo jetson-thor
  3  ask what is true now
       npm run lab -- windlass --name demo status ${file} --probe

Ctrl-C takes everything down.`);
await once(process, 'exit');
