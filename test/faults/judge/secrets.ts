/**
 * I6: no secret in histories, on command lines, in what commands say, in unit files, logs and other files. The cluster
 * of the suite has an API key made for the search.
 */
import { canariesBelow, canariesIn, canaryPieces, formsOf, type Canaries } from '../../lab/canary.ts';
import type { Host } from '../../lab/host.ts';
import type { StoredHistory } from './histories.ts';

export class Secrets {
  readonly apiKey: string;
  private readonly canaries: Canaries;

  constructor() {
    const pieces = canaryPieces();
    this.apiKey = pieces.join(`'"\\$&`);
    this.canaries = new Map([['apiKey', pieces.flatMap(formsOf)]]);
  }

  /** What the operator's environment holds of it. */
  get env(): Record<string, string> {
    return { FAULTS_API_KEY: this.apiKey };
  }

  /** Sentences about texts, by name, in which something of it stands. */
  inTexts(texts: Readonly<Record<string, string>>): string[] {
    return Object.entries(texts).flatMap(([name, text]) =>
      canariesIn(this.canaries, text).map((secret) => `I6: ${secret} stands in ${name}`),
    );
  }

  /** Sentences about what stands in histories; their payloads are read as the service hands them to workers. */
  inHistories(histories: readonly StoredHistory[]): string[] {
    return histories.flatMap(({ workflowId, events }) => {
      const text = JSON.stringify(events);
      const payloads = [...text.matchAll(/"data":"([A-Za-z0-9+/=]+)"/g)].map(([, data = '']) =>
        Buffer.from(data, 'base64').toString('latin1'),
      );
      return this.inTexts({ [`the history of ${workflowId}`]: [text, ...payloads].join('\n') });
    });
  }

  /** Sentences about files and journals of hosts, its own place left out. */
  async onHosts(hosts: readonly Host[]): Promise<string[]> {
    const folders = ['/home/dgx', '/run/user/1000', '/tmp', '/var/tmp', '/dev/shm', '/var/log', '/etc'];
    const found = await Promise.all(
      hosts.map(async (host) => {
        const files = await canariesBelow(this.canaries, host, folders, ['--exclude-dir=secrets']);
        const argv = ['journalctl', '--no-pager', '-a', '-o', 'json'];
        const journal = await host.exec(argv, { user: 'root', maxBuffer: 2 ** 28 });
        return [
          ...files.map((path) => `I6: ${path} on ${host.name} holds a secret`),
          ...this.inTexts({ [`the journal of ${host.name}`]: journal.stdout }),
        ];
      }),
    );
    return found.flat();
  }
}
