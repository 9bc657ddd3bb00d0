/** Compare versions as Python packages write them: releases by number, pre-releases before their release. Pure. */

interface Release {
  readonly numbers: readonly number[];
  readonly isPreRelease: boolean;
}

function read(version: string): Release {
  const [release = '', rest = ''] = /^([0-9.]*)(.*)$/.exec(version)?.slice(1) ?? [];
  return {
    numbers: release.split('.').filter(Boolean).map(Number),
    isPreRelease: /^(?:a|b|c|rc|alpha|beta|pre|dev)/.test(rest.replace(/^[._-]/, '')),
  };
}

/** Is the version below the floor? `0.5.11rc1` is below `0.5.11`, `0.5.11.post1` is not. */
export function isBelow(version: string, floor: string): boolean {
  const a = read(version);
  const b = read(floor);
  for (let place = 0; place < Math.max(a.numbers.length, b.numbers.length); place++) {
    const difference = (a.numbers[place] ?? 0) - (b.numbers[place] ?? 0);
    if (difference !== 0) return difference < 0;
  }
  return a.isPreRelease && !b.isPreRelease;
}
