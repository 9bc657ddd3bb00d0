/** How much lies in a folder. */
import { run } from '../src/process/run.ts';

/** Bytes under a folder, hard links counted once; 0 when it is not there. */
export async function folderBytes(path: string): Promise<number> {
  const result = await run({ file: 'du', args: ['-s', '-B1', '--', path] }, { timeoutMs: 60_000 });
  const bytes = Number.parseInt(result.stdout, 10);
  return Number.isSafeInteger(bytes) ? bytes : 0;
}
