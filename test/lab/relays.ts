/** Starts relays, in the lab's network or outside, and waits until they listen. */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { startKept } from './keeper-client.ts';
import { labFile, type LabNames } from './names.ts';
import { inNetwork } from './network.ts';
import { endProcess, readProcessId } from './processes.ts';
import { until } from './run.ts';

export interface Relay {
  stop(): Promise<void>;
}

interface RelayRoute {
  readonly listen: string;
  readonly to: string;
  /** Whether the relay lives in the lab's network. */
  readonly inside: boolean;
}

/** Start a relay under the lab's keeper and return when it listens. */
export async function startRelay(names: LabNames, { listen, to, inside }: RelayRoute): Promise<Relay> {
  const files = join(names.relays, randomUUID());
  const output = `${files}.log`;
  const ready = `${files}.ready`;
  const argv = [process.execPath, '--import', 'tsx', labFile('relay.ts'), listen, to, ready];
  const [file = '', ...args] = inside ? ['nsenter', ...inNetwork(names, ...argv)] : argv;
  const pid = await startKept(names, { file, args, output });
  const id = await until(`the relay listens on ${listen}`, async () => {
    const alive = await readProcessId(pid);
    if (!alive) throw new Error(`the relay on ${listen} ended: ${await readFile(output, 'utf8')}`);
    return (await stat(ready).catch(() => undefined)) ? alive : undefined;
  });
  return { stop: async () => endProcess(id, 'SIGTERM') };
}
