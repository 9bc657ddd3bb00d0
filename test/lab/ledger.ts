/** What the nodes themselves recorded: the judge of "nothing done twice". */
import type { Host } from './host.ts';

export interface LedgerLine {
  readonly at: number;
  readonly run: string;
  readonly step: string;
  readonly what: string;
  readonly unit?: string;
  readonly exitCode?: number | null;
}

const root = '/home/dgx/.local/share/windlass';

/** Read the ledger of a host; empty where there is none yet. */
export async function readLedger(host: Host): Promise<LedgerLine[]> {
  const text = await host.readFile(`${root}/ledger.jsonl`).catch(() => '');
  return text.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as LedgerLine];
    } catch {
      // A power cut may leave half a line.
      return [];
    }
  });
}

/** How often a step was begun on a host. */
export async function timesBegun(host: Host, step: string): Promise<number> {
  return (await readLedger(host)).filter((line) => line.step === step && line.what === 'began').length;
}

/** Main pids of our active units on a host, by unit name. */
export async function unitPids(host: Host): Promise<Record<string, string>> {
  const script =
    'for u in $(systemctl --user list-units --plain --no-legend "windlass-*.service" | cut -d" " -f1); do ' +
    'printf "%s %s\\n" "$u" "$(systemctl --user show -p MainPID --value "$u")"; done';
  const { stdout } = await host.exec(['sh', '-c', script], { user: 'dgx' });
  const pairs = stdout
    .split('\n')
    .filter(Boolean)
    .map((line): [string, string] => {
      const [unit = '', pid = ''] = line.split(' ');
      return [unit, pid];
    });
  return Object.fromEntries(pairs);
}

/** Kill the main process of one of our units with SIGKILL. */
export async function killUnit(host: Host, unit: string): Promise<void> {
  await host.exec(['systemctl', '--user', 'kill', '--kill-whom=main', '--signal=KILL', `${unit}.service`], {
    user: 'dgx',
  });
}
