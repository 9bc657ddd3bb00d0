// A promise with its two ends in the hand (Promise.withResolvers needs Node.js 22).

export interface Deferred<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
}

/** Make a promise that is resolved from outside. */
export function deferred<T>(): Deferred<T> {
  const hand: { resolve?: (value: T) => void } = {};
  const promise = new Promise<T>((resolve) => {
    hand.resolve = resolve;
  });
  return { promise, resolve: (value) => hand.resolve?.(value) };
}
