import { expect, test } from '@jest/globals';
import { UploadView } from '../../../src/output/upload-view.ts';

/** Two uploads of 50 MB over lines of half a megabyte and of a whole one a second, and what was shown of them. */
function uploads(isLive: boolean): string[] {
  const shown: string[] = [];
  let seconds = 0;
  const add = (text: string): void => void shown.push(`${seconds} s ${text}`);
  const view = new UploadView({ isLive, note: add, update: add }, () => seconds * 1000);
  for (; seconds <= 100; seconds += 1) {
    view.show('slow', seconds * 500_000, 50_000_000);
    if (seconds <= 50) view.show('fast', seconds * 1_000_000, 50_000_000);
  }
  return shown;
}

test('a log gets a line every 20 s for each node, and none for an upload that is quick or over', () => {
  expect(uploads(false)).toEqual([
    '20 s   slow           10 MB of 50 MB placed',
    '20 s   fast           20 MB of 50 MB placed',
    '40 s   slow           20 MB of 50 MB placed',
    '40 s   fast           40 MB of 50 MB placed',
    '60 s   slow           30 MB of 50 MB placed',
    '80 s   slow           40 MB of 50 MB placed',
  ]);
});

test('a terminal shows the nodes that still get something, each on its own line', () => {
  const shown = uploads(true);
  expect(shown).toContain(
    '49 s   slow           24.5 MB of 50 MB placed\n  fast           49 MB of 50 MB placed',
  );
  expect(shown).toContain('50 s   slow           25 MB of 50 MB placed');
  expect(shown.at(-1)).toBe('100 s ');
});
