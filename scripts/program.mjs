/**
 * Makes dist/src: the command line as a few files that load fast. Resolving and reading the 600 modules that it and
 * its libraries consist of took longer than `windlass status` may take. Commands are chunks, loaded when they run.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build } from 'esbuild';

/** Bundled code is a module, but some of what is in it was written for CommonJS. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  'const require = __createRequire(import.meta.url);',
  "const __dirname = __fileURLToPath(new URL('.', import.meta.url));",
].join('\n');

/**
 * Bundle src/cli.ts of `root` into `folder`, whose files all lie side by side: src/own-files.ts counts on that.
 * Returns esbuild's metafile.
 */
export async function bundleProgram(root, folder) {
  const { metafile } = await build({
    entryPoints: [join(root, 'src/cli.ts')],
    outdir: folder,
    bundle: true,
    splitting: true,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    // Half the bytes to read. Names stay, so that a stack trace can be read.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    logLevel: 'warning',
    // Optional native parts of ssh2, which does without them.
    external: ['*.node', 'cpu-features'],
    banner: { js: BANNER },
    plugins: [leanLibraries],
  });
  return metafile;
}

/** Leaves out large parts of libraries that this program never uses. */
const leanLibraries = {
  name: 'lean-libraries',
  setup({ onLoad }) {
    // Messages of schema errors in fifty languages: ours are English.
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
    onLoad({ filter: /@temporalio[\\/]proto[\\/]protos[\\/]json-module\.js$/ }, async ({ path }) => ({
      contents: leanProtocol(await readFile(path, 'utf8'), path),
    }));
  },
};

/**
 * The SDK builds its message types from one JSON value each time it is loaded. A third of it is about Temporal Cloud's
 * administration and about the worker's native part, which a client never speaks to.
 */
function leanProtocol(source, path) {
  const found = /^([\s\S]*\.addJSON\()(\{[\s\S]*\})(\);[\s\S]*)$/.exec(source);
  if (!found) throw new Error(`${path} has another form: the recipe of the program needs a look`);
  const [, before, json, after] = found;
  const { coresdk: _native, ...types } = JSON.parse(json);
  delete types.temporal.nested.api.nested.cloud;
  // JSON in a string is parsed faster than the same object as code.
  return `${before}JSON.parse(${JSON.stringify(JSON.stringify(types))})${after}`;
}
