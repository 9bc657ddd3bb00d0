/** What activities need to know about the machine they run on; made once by the node worker, faked by nothing. */
import { homedir } from 'node:os';
import { dirname } from 'node:path';
import type { Layout } from '../src/cluster/layout.ts';
import { expandHome, layoutOf } from '../src/cluster/layout.ts';

export interface NodeContext {
  /** Minted id of this machine. */
  readonly id: string;
  readonly layout: Layout;
  /** Home directory of the user. */
  readonly homeDirectory: string;
  /** Folder with our scripts, `unit.js` and `facts.sh`. */
  readonly payload: string;
  /** The Node.js binary that runs this worker, and the units. */
  readonly nodeBinary: string;
  readonly uv: string;
  /** Environment of the user's manager that programs on this node may see: proxies, runtime folder, language. */
  readonly inherited: Readonly<Record<string, string>>;
}

/** Make the context of this machine. `scriptPath` is the running worker's own file. */
export function nodeContext(options: {
  readonly id: string;
  readonly root: string;
  readonly scriptPath: string;
  readonly inherited: Readonly<Record<string, string>>;
}): NodeContext {
  const payload = dirname(options.scriptPath);
  const homeDirectory = homedir();
  return {
    id: options.id,
    layout: layoutOf(expandHome(options.root, homeDirectory)),
    homeDirectory,
    payload,
    nodeBinary: process.execPath,
    uv: `${payload}/bin/uv`,
    inherited: options.inherited,
  };
}

/** Variables that every program we start gets: nothing of ours leaks out of our root, and output is plain. */
export function baseEnvironment(context: NodeContext, environmentPath?: string): Record<string, string> {
  const { layout, homeDirectory, inherited } = context;
  const path = [
    ...(environmentPath === undefined ? [] : [`${environmentPath}/bin`]),
    '/usr/local/cuda/bin',
    '/usr/local/bin',
    '/usr/bin',
    '/bin',
    '/usr/sbin',
    '/sbin',
  ].join(':');
  return {
    ...inherited,
    HOME: homeDirectory,
    PATH: path,
    LANG: 'C.UTF-8',
    NO_COLOR: '1',
    PYTHONUNBUFFERED: '1',
    UV_CACHE_DIR: `${layout.cache}/uv`,
    UV_PYTHON_INSTALL_DIR: `${layout.cache}/python`,
    UV_NO_CONFIG: '1',
    UV_NO_PROGRESS: '1',
    UV_HTTP_TIMEOUT: '300',
  };
}
