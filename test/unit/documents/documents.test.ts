/** What the documents claim and can be checked: links, paths, commands, cluster files, exit codes, versions, reasons. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { build } from 'esbuild';
import { steps } from '../../../src/cluster/board.ts';
import { loadClusterFile } from '../../../src/config/load.ts';
import { Exit } from '../../../src/errors.ts';
import { run } from '../../../src/process/run.ts';
import { version } from '../../../src/version.ts';

const documents = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'docs/dependencies.md'];
const text = (path: string): string => readFileSync(path, 'utf8');
const manifest = JSON.parse(text('package.json')) as {
  version: string;
  license: string;
  scripts: Record<string, string>;
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
};

const all = (path: string, pattern: RegExp): string[] =>
  [...text(path).matchAll(pattern)].map((match) => match[1] ?? '');
/** The contents of the code blocks of one language. */
const blocks = (path: string, language: string): string[] =>
  all(path, new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\`$`, 'gm'));
/** The first cells of the table whose first heading is this. */
const firstCells = (path: string, heading: string): string[] => {
  const [, table = ''] = text(path).split(new RegExp(`^\\| ${heading} +\\|.*\\n\\|.*\\n`, 'm'));
  const [rows = ''] = table.split('\n\n');
  return rows
    .trim()
    .split('\n')
    .map((row) => (row.split('|')[1] ?? '').trim().replaceAll('`', ''));
};

describe.each(documents)('%s', (path) => {
  test('links to files that are there', () => {
    const broken = all(path, /\]\(([^)#]+)\)/g).filter(
      (link) => !/^https?:/.test(link) && !existsSync(join(dirname(path), link)),
    );
    expect(broken).toEqual([]);
  });

  test('names paths that are there', () => {
    const named = all(
      path,
      /`((?:src|workflows|activities|workers|test|scripts|bin|examples)\/[^`\s<>*…]*)`/g,
    );
    expect(named.filter((each) => !existsSync(each))).toEqual([]);
  });

  test('names only scripts that exist', () => {
    const named = all(path, /npm run ([a-z:]+)/g);
    expect(named.filter((name) => !Object.hasOwn(manifest.scripts, name))).toEqual([]);
  });

  test('knows nothing of the machine it was written on', () => {
    expect(text(path)).not.toContain(process.cwd());
    expect(text(path)).not.toMatch(/(?:^|[\s`"'(])\/(?:root|Users|tmp)\//);
  });
});

describe('the commands in the documents', () => {
  // As people write them: in a block of shell, or between backticks.
  const lines = documents.flatMap((path) => [
    ...blocks(path, 'sh').flatMap((block) => block.split('\n')),
    ...all(path, /`([^`\n]+)`/g),
  ]);
  const commands = lines.flatMap((line) => {
    const [, words] = /^(?:npx )?windlass ([^#>|]+)/.exec(line.trim()) ?? [];
    return words === undefined ? [] : [words.trim().split(/\s+/)];
  });
  const help = new Map<string, string>();

  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'windlass-help-'));
    // One plain file for many starts: help needs none of the commands' own code.
    const program = join(folder, 'cli.mjs');
    await build({
      entryPoints: ['src/cli.ts'],
      outfile: program,
      bundle: true,
      platform: 'node',
      format: 'esm',
      external: ['./commands/*'],
      banner: {
        js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
      },
    });
    const names = [...new Set(['', ...commands.map(([name = '']) => name.replace(/^-.*/, ''))])];
    await Promise.all(
      names.map(async (name) => {
        const args = [program, ...(name === '' ? [] : [name]), '--help'];
        const { exitCode, stdout } = await run({ file: process.execPath, args });
        // Of a command that is not there, the help is that of the program.
        if (exitCode === 0 && stdout.startsWith(`Usage: windlass ${name}`)) help.set(name, stdout);
      }),
    );
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test('there are some', () => {
    expect(commands.length).toBeGreaterThan(10);
  });

  test('exist, with the options that are shown', () => {
    const wrong = commands.filter(([name = '', ...rest]) => {
      const command = name.startsWith('-') ? '' : name;
      const options = [name, ...rest].filter((word) => word.startsWith('-'));
      const known = help.get(command)?.split(/[\s,]+/) ?? [];
      return known.length === 0 || options.some((option) => !known.includes(option));
    });
    expect(wrong).toEqual([]);
  });

  test('all of them are in the README', () => {
    const names = all('src/cli.ts', /^ {2}command\('([a-z]+)'/gm);
    expect(names.length).toBeGreaterThan(7);
    expect(names.filter((name) => !text('README.md').includes(`windlass ${name} `))).toEqual([]);
  });
});

describe('README.md', () => {
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'windlass-readme-'));
  });
  afterAll(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  test.each(blocks('README.md', 'yaml').map((block) => [/^name: (.+)$/m.exec(block)?.[1] ?? '?', block]))(
    'the cluster file %s is one',
    async (name, block) => {
      const path = join(folder, `${name}.yaml`);
      await writeFile(path, block);
      expect((await loadClusterFile(path)).file.name).toBe(name);
    },
  );

  test('lists the exit codes of the program', () => {
    expect(firstCells('README.md', 'exit code').map(Number)).toEqual(
      Object.values(Exit).toSorted((a, b) => a - b),
    );
  });

  test('lists the words of status', () => {
    const [union = ''] = all('src/commands/status.ts', /^export type StatusWord =([^;]+);/gm);
    const words = [...union.matchAll(/'([a-z]+)'/g)].map((match) => match[1]);
    expect(words.length).toBeGreaterThan(3);
    expect(new Set(firstCells('README.md', '`status`'))).toEqual(new Set(words));
  });

  test('lists the steps in the order of the work', () => {
    // Placing comes before a run; stopping an old gang is no step of a bring-up from nothing.
    expect(firstCells('README.md', 'step')).toEqual([
      'placing',
      ...steps.filter((step) => step !== 'stop old gang'),
    ]);
  });
});

test('CONTRIBUTING.md is short enough to be read', () => {
  expect(text('CONTRIBUTING.md').split('\n').length).toBeLessThanOrEqual(120);
});

test('SECURITY.md leaves no item out', () => {
  const items = all('SECURITY.md', /^\| (\d+) +\|/gm).map(Number);
  expect(items.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 34 }, (_, index) => index + 1));
});

test('program, package and changelog have one version', () => {
  expect(version).toBe(manifest.version);
  expect(text('CHANGELOG.md')).toContain(`## [${version}]`);
});

test('the licence is the one that the package names, word for word', () => {
  expect(manifest.license).toBe('Apache-2.0');
  // Of https://www.apache.org/licenses/LICENSE-2.0.txt
  expect(createHash('sha256').update(text('LICENSE')).digest('hex')).toBe(
    'cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30',
  );
});

describe('docs/dependencies.md', () => {
  const present = { ...manifest.dependencies, ...manifest.devDependencies };

  test.each(Object.entries(present))('gives a reason for %s', (name, exact) => {
    expect(exact).toMatch(/^\d+\.\d+\.\d+$/);
    const row = text('docs/dependencies.md')
      .split('\n')
      .find((line) => line.startsWith(`| ${name} `));
    const [, , stated, reason, instead] = (row ?? '').split('|').map((cell) => cell.trim());
    expect(stated).toBe(exact);
    expect(reason).not.toBe('');
    expect(instead).not.toBe('');
  });

  test('names no package that is gone', () => {
    const named = all('docs/dependencies.md', /^\| (@?[a-z0-9][a-z0-9/-]*) +\|/gm);
    expect(named.filter((name) => name !== 'package' && !Object.hasOwn(present, name))).toEqual([]);
  });
});
