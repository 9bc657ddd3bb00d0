/**
 * Writes docs/cluster-file.md from the schema, docs/errors.md from the code table, docs/faults.md from the table of
 * faults and their last results, and docs/benchmarks.md from the kept records of the benchmarks: `node scripts/docs.mjs`; with `--check` it writes nothing and exits 1 when a page is not what would be written.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format } from 'prettier';
import { register } from 'tsx/esm/api';
import { benchmarksPage } from './docs/benchmarks.mjs';
import { clusterFilePage } from './docs/cluster-file.mjs';
import { errorsPage } from './docs/errors.mjs';
import { faultsPage } from './docs/faults.mjs';

register();
const { ClusterFile } = await import('../src/config/schema.ts');
const { codes, Exit } = await import('../src/errors.ts');

const { table: faults } = await import('../test/faults/table/index.ts');
const { titleOf } = await import('../test/faults/fault.ts');
const results = readJson('../test/faults/results.json');
const found = readJson('../test/faults/found.json');
const elsewhere = readJson('../test/faults/elsewhere.json');
const notYet = readJson('../test/faults/not-yet.json');

const note = '<!-- Written by `node scripts/docs.mjs`; change the schema or the code table instead. -->';

const benchmarksNote =
  '<!-- Written by `node scripts/docs.mjs` from bench/results.json; `npm run bench -- NAME --keep` writes that. -->';

const faultsNote =
  '<!-- Written by `node scripts/docs.mjs` from the tables in test/faults and their last results. -->';

const pages = {
  'docs/cluster-file.md': clusterFilePage(ClusterFile, note),
  'docs/errors.md': errorsPage(codes, Exit, note),
  'docs/benchmarks.md': benchmarksPage({
    results: readJson('../bench/results.json'),
    note: benchmarksNote,
  }),
  'docs/faults.md': faultsPage({ faults, elsewhere, notYet, results, found, titleOf, note: faultsNote }),
};

let stale = false;
for (const [name, text] of Object.entries(pages)) {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const wanted = await format(text, { parser: 'markdown' });
  if (!process.argv.includes('--check')) {
    writeFileSync(path, wanted);
  } else if (readOr(path) !== wanted) {
    stale = true;
    console.error(`${name} is not what the code says; run: node scripts/docs.mjs`);
  }
}
process.exitCode = stale ? 1 : 0;

function readJson(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8'));
}

function readOr(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error.code === 'ENOENT') return '';
    throw error;
  }
}
