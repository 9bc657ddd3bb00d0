/**
 * How a worker becomes one file that runs without node_modules: an esbuild plugin that cuts what a node never needs
 * (the workflow bundler with webpack and swc) and lets the rest find what lies beside the bundle.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Names of the files that the bundles look for in their own folder. */
export const besideBundle = { nativeBridge: 'core-bridge.node', workflowThread: 'workflow-thread.js' };

/** Bundled code is a module, but most of what is in it was written for CommonJS. */
const BANNER = [
  "import { createRequire as __createRequire } from 'node:module';",
  "import { fileURLToPath as __fileURLToPath } from 'node:url';",
  "import { dirname as __dirnameOf } from 'node:path';",
  'const require = __createRequire(import.meta.url);',
  'const __filename = __fileURLToPath(import.meta.url);',
  'const __dirname = __dirnameOf(__filename);',
].join('\n');

// Only the workflow bundler uses them, and workflows are bundled when windlass is built.
const UNUSED = /^(webpack|@swc\/core|swc-loader|memfs|unionfs|source-map-loader)$/;

const BUNDLER = `
exports.defaultWorkflowInterceptorModules = [];
exports.bundleWorkflowCode = () => { throw new Error('workflows are bundled when windlass is built, not on a node'); };
exports.WorkflowCodeBundler = class { constructor() { exports.bundleWorkflowCode(); } };
`;

const NATIVE_BRIDGE = `
const { join } = require('node:path');
exports.getPrebuiltPath = () => join(__dirname, '${besideBundle.nativeBridge}');
`;

// source-map reads its WebAssembly from a file beside its own source; here it is part of the bundle.
const READ_WASM = `
const bytes = require('./mappings.wasm');
module.exports = () => Promise.resolve(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
module.exports.initialize = () => undefined;
`;

/**
 * Options for esbuild that make one self-contained file of `entryPoint`. Only builds for fault tests hold the points at
 * which a worker can be made to die; elsewhere their branches are false, and what only they use is left out.
 */
export function payloadOptions(entryPoint, outfile, { crashPoints = false } = {}) {
  return {
    entryPoints: [entryPoint],
    outfile,
    bundle: true,
    metafile: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    keepNames: true,
    // Takes out what stands behind a switch that is off.
    minifySyntax: true,
    define: { 'globalThis.WINDLASS_CRASH_POINTS': String(crashPoints) },
    legalComments: 'none',
    logLevel: 'warning',
    loader: { '.wasm': 'binary' },
    banner: { js: BANNER },
    plugins: [temporalWorker],
  };
}

const temporalWorker = {
  name: 'temporal-worker',
  setup(build) {
    build.onResolve({ filter: UNUSED }, ({ path }) => ({ path, namespace: 'unused' }));
    build.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
    replace(build, /@temporalio[\\/]worker[\\/]lib[\\/]workflow[\\/]bundler\.js$/, () => BUNDLER);
    replace(build, /@temporalio[\\/]core-bridge[\\/]common\.js$/, () => NATIVE_BRIDGE);
    replace(build, /source-map[\\/]lib[\\/]read-wasm\.js$/, () => READ_WASM);
    replace(build, /@temporalio[\\/]worker[\\/]lib[\\/]workflow[\\/]threaded-vm\.js$/, pointAtThread);
  },
};

function replace(build, filter, contentsOf) {
  build.onLoad({ filter }, async ({ path }) => ({ contents: await contentsOf(path), loader: 'js' }));
}

const THREAD_REQUEST = "require.resolve('./workflow-worker-thread')";

/** The SDK starts its workflow threads from a file of its own package; ours lies beside the bundle. */
async function pointAtThread(path) {
  const source = await readFile(path, 'utf8');
  if (!source.includes(THREAD_REQUEST)) {
    throw new Error(`${path} no longer asks for ${THREAD_REQUEST}: the payload recipe needs a look`);
  }
  return source.replace(
    THREAD_REQUEST,
    `require('node:path').join(__dirname, '${join(besideBundle.workflowThread)}')`,
  );
}
