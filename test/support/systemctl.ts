/** A `systemctl` of a test's own, before any other on PATH: no machine's own units are seen, and it can fail. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll } from '@jest/globals';

/** What a user's manager answers that has no unit of ours. */
export const noUnits = String.raw`case $2 in show) printf 'MainPID=0\nControlGroup=\nActiveState=inactive\n' ;; esac`;

/** Let it run these lines of shell, for all tests of a file; returns how to change them. */
export function standInSystemctl(lines = noUnits): (lines: string) => void {
  const path = process.env['PATH'] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'windlass-systemctl-'));
  const say = (said: string): void => {
    writeFileSync(join(folder, 'systemctl'), `#!/bin/sh\n${said}\n`, { mode: 0o755 });
  };
  beforeAll(() => {
    say(lines);
    process.env['PATH'] = `${folder}${delimiter}${path}`;
  });
  afterAll(() => {
    process.env['PATH'] = path;
    rmSync(folder, { recursive: true });
  });
  return say;
}
