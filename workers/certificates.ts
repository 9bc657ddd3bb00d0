/**
 * Run on the head, over ssh, by its own Node.js: makes the cluster's certificate authority and what it signs. Answers
 * with one JSON object; a node's key goes to standard output alone and is stored nowhere on the head.
 */
import { Command } from 'commander';
import { ensureAuthority, ensureServer, issueForNode } from './front/authority.ts';

interface Folder {
  readonly dir: string;
}

// Longer lives are refused by some TLS libraries.
const DAYS = 825;

const program = new Command('certificates').description('The certificate authority of one cluster.');

program
  .command('init')
  .description('make the authority where there is none')
  .requiredOption('--dir <folder>')
  .action(async ({ dir }: Folder) => {
    print(await ensureAuthority(dir));
  });

program
  .command('issue')
  .description('make a certificate for a node')
  .requiredOption('--dir <folder>')
  .requiredOption('--name <node id>')
  .action(async ({ dir, name }: Folder & { readonly name: string }) => {
    print(await issueForNode(dir, name, DAYS));
  });

program
  .command('server')
  .description("make the front's own certificate where there is no good one")
  .requiredOption('--dir <folder>')
  .requiredOption('--address <ip>')
  .action(async ({ dir, address }: Folder & { readonly address: string }) => {
    print(await ensureServer(dir, address));
  });

await program.parseAsync();

function print(answer: unknown): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
