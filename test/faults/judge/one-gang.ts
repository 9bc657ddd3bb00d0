/** I1: at no sample do two engines or two Rays run on one host. */
import type { Sample } from '../samples.ts';

/** What there may be one of; children that a process forks bear its command line, so only roots count. */
const kinds: Readonly<Record<string, RegExp>> = {
  engine: /^\S*python\S* -m sglang\.launch_server /,
  raylet: /\/raylet /,
  'Ray head': /\/gcs_server /,
};

interface Running {
  readonly kind: string;
  readonly parent: number;
  readonly since: number;
}

/** Sentences about each moment since `from` at which there were two. */
export function twoAtOnce(samples: readonly Sample[], from: number): string[] {
  const running = new Map<string, Map<string, Running>>();
  return samples.flatMap((sample) => {
    const ofHost = running.get(sample.host) ?? new Map<string, Running>();
    running.set(sample.host, ofHost);
    const key = `${String(sample.pid)}/${String(sample.start)}`;
    const kind = Object.keys(kinds).find((name) => kinds[name]?.test(sample.command ?? ''));
    ofHost.delete(key);
    if (kind === undefined) return [];
    ofHost.set(key, { kind, parent: sample.parent ?? 0, since: sample.at });
    const same = [...ofHost].filter(([, each]) => each.kind === kind);
    const pids = new Set(same.map(([each]) => Number(each.split('/')[0])));
    const roots = same.filter(([, { parent }]) => !pids.has(parent));
    if (roots.length < 2 || sample.at < from) return [];
    return [
      `I1: ${sample.host} ran ${String(roots.length)} × ${kind} at ${new Date(sample.at).toISOString()}: ${roots.map(([each]) => each).join(', ')}`,
    ];
  });
}
