/** The shell scripts that we ship, by name. */
import { readFile } from 'node:fs/promises';
import { ownFile } from '../own-files.ts';

const files = {
  look: 'placing/scripts/look.sh',
  mint: 'placing/scripts/mint.sh',
  activate: 'placing/scripts/activate.sh',
  purge: 'placing/scripts/purge.sh',
  facts: 'cluster/facts/facts.sh',
} as const;

/** Text of a script. */
export async function readScript(name: keyof typeof files): Promise<string> {
  return readFile(ownFile(files[name]), 'utf8');
}
