/** Facts of the network: interfaces and addresses, what could be reached, what the own name means. */
import { z } from 'zod';
import { type Frames, frameOf, framesOf } from './frames.ts';
import { firstLine, harmless, lines } from './text.ts';
import type { NodeFacts } from './types.ts';

const Interfaces = z
  .array(
    z.object({
      ifname: z.string().max(64),
      flags: z.array(z.string()).max(50).default([]),
      mtu: z.number().default(0),
      addr_info: z
        .array(z.object({ local: z.string().max(64).optional() }))
        .max(1000)
        .default([]),
    }),
  )
  .max(2000);

/** From `ip -j addr`; empty when it cannot be read, so that no address counts as owned. */
export function readInterfaces(frames: Frames): NodeFacts['interfaces'] {
  const parsed = Interfaces.safeParse(readJson(frameOf(frames, 'interfaces') ?? ''));
  if (!parsed.success) return [];
  return parsed.data.map((each) => ({
    name: harmless(each.ifname, 64),
    // LOWER_UP is the cable; UP alone is only the administrator's wish.
    up: each.flags.includes('UP') && each.flags.includes('LOWER_UP'),
    mtu: each.mtu,
    addresses: each.addr_info.flatMap(({ local }) => (local === undefined ? [] : [harmless(local, 64)])),
  }));
}

export function readRdmaInterfaces(frames: Frames): string[] {
  return [...new Set(lines(frameOf(frames, 'rdma')).map((name) => harmless(name, 64)))];
}

/** One frame for each address that was tried: the address, then what the tool said. */
export function readReach(frames: Frames): NodeFacts['reach'] {
  return framesOf(frames, 'reach').map((text) => {
    const [url = '', ...answer] = text.split('\n');
    return { url: harmless(url, 2000), ...judgeAnswer(answer.join('\n').trim()) };
  });
}

/** A server that answers is there, even with 404 at its root; a proxy's 5xx or 407 is not the server. */
function judgeAnswer(answer: string): { reachable: boolean | null; reason: string | null } {
  if (answer === 'no tool')
    return { reachable: null, reason: 'there is no curl, python3 or wget to ask with' };
  const codes = [...answer.matchAll(/HTTP(?:\/[0-9.]+)? ([0-9]{3})\b/g)].map(([, code]) => Number(code));
  const code = codes.at(-1) ?? 0;
  if (code === 407) return { reachable: false, reason: 'a proxy wants a login (HTTP 407)' };
  if (code >= 500) return { reachable: false, reason: `HTTP ${code}` };
  if (code >= 100) return { reachable: true, reason: null };
  const said = /(?:curl: \([0-9]+\)|error:) *([^\n]+)/.exec(answer)?.[1];
  return { reachable: false, reason: firstLine(said ?? answer, 200) ?? 'no answer within 3 s' };
}

/** What the machine's own name resolves to there; Gloo would bind to the first. */
export function readOwnNameAddresses(frames: Frames): string[] {
  const [, ...answer] = lines(frameOf(frames, 'own-name'));
  return [...new Set(answer.map((line) => harmless(line.split(/\s/, 1)[0] ?? '', 64)))];
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
