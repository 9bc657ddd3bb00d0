/** The answer of facts.sh with what the pure core cannot read in it: when the certificates end. */
import { X509Certificate } from 'node:crypto';
import { type Frames, frameOf, readFrames } from '../cluster/facts/frames.ts';
import { parseFacts } from '../cluster/facts/parse.ts';
import type { NodeFacts } from '../cluster/facts/types.ts';
import { certificatePaths } from '../cluster/layout.ts';

/** Read an answer. Throws FACT_UNREADABLE. */
export function readFacts(answer: string): NodeFacts {
  const facts = parseFacts(answer);
  return { ...facts, state: { ...facts.state, certificates: certificatesIn(readFrames(answer)) } };
}

/** What cannot be read as a certificate is none: placing makes another one in its place. */
function certificatesIn(frames: Frames): NodeFacts['state']['certificates'] {
  return (['authority', 'front', 'node'] as const).flatMap((of) => {
    const pem = frameOf(frames, `certificate${certificatePaths[of]}`);
    try {
      return pem === null ? [] : [{ of, ends: Date.parse(new X509Certificate(pem).validTo) }];
    } catch {
      return [];
    }
  });
}
