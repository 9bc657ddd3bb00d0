/** The process samples of a lab: the program that takes them, and how to read them. */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readHierarchies } from '../lab/cgroups.ts';
import { startKept } from '../lab/keeper-client.ts';
import type { Lab } from '../lab/lab.ts';

/** A process was seen for the first time, or with another command line, or no longer. */
export interface Sample {
  readonly at: number;
  readonly host: string;
  readonly pid: number;
  readonly start: number;
  readonly parent?: number;
  readonly command?: string;
  readonly ended?: true;
}

export class Samples {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Start watching; it goes on for as long as the lab does. */
  static async start(lab: Lab): Promise<Samples> {
    const [hierarchy = ''] = await readHierarchies();
    const path = join(lab.names.folder, 'samples.jsonl');
    await (await open(path, 'a')).close();
    const hosts = lab.hosts.map(
      ({ name }) => `${name}=${join(hierarchy, lab.names.cgroup, name, 'payload')}`,
    );
    const program = fileURLToPath(new URL('sampler.ts', import.meta.url));
    await startKept(lab.names, {
      file: process.execPath,
      args: ['--import', 'tsx', program, path, ...hosts],
      output: join(lab.names.folder, 'sampler.log'),
    });
    return new Samples(path);
  }

  /** Everything that was seen, as it was written down. */
  text = async (): Promise<string> => readFile(this.path, 'utf8');

  /** All samples; the earlier ones tell what ran when a case began. */
  async read(): Promise<Sample[]> {
    return (await this.text())
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Sample);
  }
}
