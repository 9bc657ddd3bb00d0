/** Does something that we did not start hold the GPU, the memory or Ray's place on the node? */
import type { Stranger } from '../facts/types.ts';
import { type Judgement, type NodeCheck, blocked, gib, list, pass, warn } from './check.ts';
import { groupBy } from './group.ts';
import { stopCommand, whoIs } from './stop-command.ts';

export const handStarted: NodeCheck = {
  name: 'hand-started',
  title: 'No Ray and no engine runs that windlass did not start',
  scope: 'node',
  judge: ({ facts }) => {
    const problems = (['ray', 'engine'] as const).flatMap((kind): Judgement[] => {
      const all = facts.strangers.filter((stranger) => stranger.kind === kind);
      // Actors end with their raylet: only what has to be stopped is named.
      const roots = all.filter(({ command }) => !/^[A-Za-z]+::/.test(command));
      const named = roots.length > 0 ? roots : all;
      if (named.length === 0) return [];
      const what = kind === 'ray' ? 'Ray' : 'an engine';
      return [
        // No approval: it is somebody's work, and on unified memory two engines end each other.
        blocked(
          `${what} runs that windlass did not start: ${naming(named)}`,
          stopAll(named, facts.user.name),
        ),
      ];
    });
    return problems.length === 0 ? pass('no Ray and no engine beside ours') : problems;
  },
};

export const memoryHolders: NodeCheck = {
  name: 'memory-holders',
  title: 'No desktop, Ollama or other program holds GPU memory',
  scope: 'node',
  judge: ({ facts }) => {
    const problems = (['ollama', 'desktop', 'gpu'] as const).flatMap((kind): Judgement[] => {
      const found = facts.strangers.filter((stranger) => stranger.kind === kind);
      if (found.length === 0) return [];
      const held = found.reduce((sum, stranger) => sum + (stranger.gpuBytes ?? 0), 0);
      const much = held > 0 ? `, ${gib(held)} of it on the GPU` : '';
      return [
        warn(
          `${subjects[kind]} holds memory: ${naming(found)}${much}`,
          remedyFor(kind, found, facts.user.name),
        ),
      ];
    });
    return problems.length === 0 ? pass('nothing else is known to hold GPU memory') : problems;
  },
};

const subjects = { ollama: 'Ollama', desktop: 'a desktop', gpu: 'another program' } as const;

function remedyFor(kind: keyof typeof subjects, found: readonly Stranger[], me: string): string {
  // Ending the desktop's processes one by one makes its display manager start them again.
  return kind === 'desktop'
    ? 'sudo systemctl isolate multi-user.target (and set-default, so that it stays off after a reboot)'
    : stopAll(found, me);
}

function naming(strangers: readonly Stranger[]): string {
  const shown = strangers.slice(0, 3).map(whoIs);
  return list(
    strangers.length > shown.length ? [...shown, `${strangers.length - shown.length} more`] : shown,
  );
}

/** One command for each unit, one for each user's processes without a unit. */
function stopAll(strangers: readonly Stranger[], me: string): string {
  const groups = groupBy(strangers, ({ unit, userUnit, user }) => JSON.stringify([unit, userUnit, user]));
  const commands = groups.flatMap(([, group]) => {
    const [first] = group;
    return first ? [stopCommand({ ...first, pids: group.map(({ pid }) => pid) }, me)] : [];
  });
  return [...new Set(commands)].join(' && ');
}
