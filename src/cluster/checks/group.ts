/** Puts things that share a key together, in the order in which they came; Node.js 20 has no `Map.groupBy`. */
export function groupBy<T, K>(things: readonly T[], keyOf: (thing: T) => K): [key: K, members: T[]][] {
  const groups = new Map<K, T[]>();
  for (const thing of things) {
    const key = keyOf(thing);
    const members = groups.get(key);
    if (members) members.push(thing);
    else groups.set(key, [thing]);
  }
  return [...groups];
}
