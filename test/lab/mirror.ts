/** Where this machine gets Debian's packages from, and of which release the lab's hosts are. */
import { run } from './run.ts';

export const suite = 'bookworm';

/** Read from apt's own index list which mirror of Debian this machine uses. */
export async function debianMirror(): Promise<string> {
  const format = '$(ORIGIN) $(CODENAME) $(REPO_URI)';
  const targets = await run('apt-get', ['indextargets', '--format', format]);
  const rows = targets.split('\n').map((line) => line.split(' '));
  const mirror = rows.find(([origin, codename]) => origin === 'Debian' && codename === suite)?.[2];
  return mirror ?? 'http://deb.debian.org/debian';
}
