/** `windlass home`: where Temporal and the control worker live; show, start or stop them. */
import { standingUnits } from '../cluster/layout.ts';
import { loadClusterFile } from '../config/load.ts';
import { Exit, fail } from '../errors.ts';
import { table } from '../output/table.ts';
import { connectNode, named } from '../placing/reach.ts';
import { hasFront } from '../placing/wanted.ts';
import { execOk } from '../ssh/exec.ts';
import type { CommandContext } from './context.ts';

export type HomeAction = 'show' | 'start' | 'stop';

export async function home(path: string, action: HomeAction, context: CommandContext): Promise<number> {
  const { output } = context;
  const { file } = await loadClusterFile(path);
  const entry = file.nodes.find((node) => node.name === file.head);
  if (!entry) throw fail('INTERNAL', { message: 'no head' });
  const connection = await connectNode(file, entry, context.env);
  try {
    return await named(entry, undefined, async () => {
      const units = [
        ...(file.temporal.address === undefined ? [standingUnits.temporal] : []),
        ...(hasFront(file) ? [standingUnits.front] : []),
        standingUnits.control,
      ];
      if (action !== 'show')
        await execOk(
          connection,
          { file: 'systemctl', args: ['--user', action, ...units] },
          { timeoutMs: 60_000 },
        );
      const { stdout } = await execOk(connection, {
        file: 'sh',
        args: ['-c', 'systemctl --user is-active "$@" || true', 'sh', ...units],
      });
      const states = stdout.trim().split('\n');
      const { temporal } = file;
      const rows = [
        [
          '  service',
          temporal.address ?? `127.0.0.1:${temporal.port} on ${entry.name}, namespace ${temporal.namespace}`,
        ],
        [
          '  web page',
          temporal.address === undefined
            ? `127.0.0.1:${temporal.uiPort} on ${entry.name}`
            : 'where you run it',
        ],
        [
          '  look at it',
          `ssh -L ${temporal.uiPort}:127.0.0.1:${temporal.uiPort} ${entry.ssh.host ?? entry.address}   then http://127.0.0.1:${temporal.uiPort}`,
        ],
        ...units.map((unit, at) => [
          `  ${unit.replace(/^windlass-|\.service$/g, '')}`,
          states[at] ?? 'unknown',
        ]),
      ];
      output.line([`home of ${file.name}: ${entry.name} (${entry.address})`, table(rows)].join('\n'));
      output.result({
        ok: true,
        head: entry.name,
        units: Object.fromEntries(units.map((unit, at) => [unit, states[at]])),
      });
      return Exit.done;
    });
  } finally {
    connection.close();
  }
}
