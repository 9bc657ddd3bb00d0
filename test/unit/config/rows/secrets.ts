/** Host key pins, and secrets that stand where they should not. The token must appear in no message. */
import type { Row } from './given.ts';
import { extra, ssh, variables } from './given.ts';

// One row, one line.
// prettier-ignore
export const rows: readonly Row[] = [
  ['X48 a pin in the md5 form', ssh('hostKey: "MD5:aa:bb"'), 'hostKey', 'nodes[1].ssh.hostKey', 'a pin looks like SHA256: and 43 characters'],
  ['X48 a short pin', ssh('hostKey: SHA256:abc'), 'hostKey', 'nodes[1].ssh.hostKey', 'a pin looks like SHA256: and 43 characters'],
  ['X48 a pin with padding', ssh(`hostKey: "SHA256:${'a'.repeat(43)}="`), 'hostKey', 'nodes[1].ssh.hostKey', 'a pin looks like SHA256: and 43 characters'],
  ['X48 a key in the place of a pin', ssh('hostKey: ssh-ed25519 AAAA'), 'hostKey', 'nodes[1].ssh.hostKey', 'a pin looks like SHA256: and 43 characters'],
  ['X50 a token at the top', { more: 'token: hf_abcdefghijklmnopqrst' }, 'token', 'token', 'secrets go in secrets.huggingFaceToken'],
  ['X50 a token among the secrets', { more: 'secrets: { huggingFaceToken: hf_abcdefghijklmnopqrst }' }, 'secrets', 'secrets.huggingFaceToken', 'secrets go in fromEnv or fromFile'],
  ['X50 a token among the variables', variables('HF_TOKEN: hf_abcdefghijklmnopqrst'), 'HF_TOKEN', 'environments.spark.variables.HF_TOKEN', 'secrets go in secrets, as fromEnv or fromFile'],
  ['X50 a key among the arguments', extra('--api-key', 'hf_abcdefghijklmnopqrst'), 'extraArguments', 'serving.extraArguments[0]', 'use secrets.apiKey'],
  ['X50 a key as the name of a variable', { more: 'secrets: { apiKey: { fromEnv: "sk-hf_abcdefghijklmnopqrst" } }' }, 'secrets', 'secrets.apiKey.fromEnv', 'is not a variable name'],
  ['X50 a login in an index', { more: 'environments: { spark: { index: "https://me:hf_abcdefghijklmnopqrst@pypi.example/simple" } }' }, 'index', 'environments.spark.index', 'holds a login'],
  ['a secret from both places', { more: 'secrets: { apiKey: { fromEnv: A, fromFile: /a } }' }, 'secrets', 'secrets.apiKey', 'secrets go in fromEnv or fromFile'],
];
