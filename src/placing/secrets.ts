/** Secrets: resolved where the program runs, delivered over ssh into 0600 files, and from then on known by name only. */
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { expandHome } from '../cluster/layout.ts';
import type { ClusterFile, SecretName, SecretReference } from '../config/schema.ts';
import { secretNames } from '../config/schema.ts';
import { demandApiKey } from '../engines/sglang.ts';
import { fail } from '../errors.ts';

/** Values of the secrets that the cluster file refers to. `variables` is the operator's environment. */
export async function resolveSecrets(
  file: ClusterFile,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Map<SecretName, string>> {
  const found = new Map<SecretName, string>();
  for (const name of secretNames) {
    const reference = file.secrets[name];
    if (!reference) continue;
    const value = await resolve(name, reference, variables);
    if (name === 'apiKey') demandApiKey(value, placeOf(reference));
    found.set(name, value);
  }
  return found;
}

async function resolve(
  name: SecretName,
  reference: SecretReference,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<string> {
  if ('fromEnv' in reference) {
    const value = variables[reference.fromEnv];
    if (value !== undefined && value.trim() !== '') return value.trim();
    throw fail('SECRET_UNREADABLE', {
      name,
      from: placeOf(reference),
      reason: 'it is not set',
    });
  }
  const path = placeOf(reference);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw fail('SECRET_UNREADABLE', {
      name,
      from: path,
      reason: (error as NodeJS.ErrnoException).code ?? 'unreadable',
    });
  });
  if (text.trim() === '') throw fail('SECRET_UNREADABLE', { name, from: path, reason: 'the file is empty' });
  return text.trim();
}

const placeOf = (reference: SecretReference): string =>
  'fromEnv' in reference ? `the variable ${reference.fromEnv}` : expandHome(reference.fromFile, homedir());

/** A new token for Ray's own authentication: made per cluster, never shown. */
export const mintRayToken = (): string => randomBytes(32).toString('hex');
