/** Writes down what the bundles contain of others: each package with its version and the text of its licence. */
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';

const PACKAGE_FOLDER = /^(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/;
const LICENCE_FILE = /^(licen[cs]e|copying|notice)/i;

/** The folders of the packages that these files belong to; files of our own belong to none. */
export function packagesIn(paths) {
  const found = paths.map((path) => PACKAGE_FOLDER.exec(resolve(path))?.[1]);
  return [...new Set(found.filter((folder) => folder !== undefined))];
}

/** Write one file about the packages in these folders. */
export async function writeLicences(folders, file) {
  const texts = new Map();
  for (const folder of new Set(folders)) {
    const { name, version, license } = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
    texts.set(`${name} ${version} (${license ?? 'see below'})`, await licenceIn(folder));
  }
  const parts = [...texts].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const intro = 'windlass contains the following packages, each under its own licence.';
  const rule = '-'.repeat(80);
  await writeFile(
    file,
    [intro, ...parts.map(([title, text]) => `${title}\n\n${text}`)].join(`\n\n${rule}\n`),
  );
}

async function licenceIn(folder) {
  const files = (await readdir(folder)).filter((name) => LICENCE_FILE.test(name)).toSorted();
  const texts = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return texts.length === 0 ? 'The package holds no licence file.' : texts.join('\n').trim();
}
