/** Work that is in vain once something beside it has ended: the head process does not notice that a rank has died. */
import { CancellationScope } from '@temporalio/workflow';

/** What a watch throws ends the work, and the end of the work ends the watches. All of them are over when this is. */
export async function whileWatched<T>(
  work: () => Promise<T>,
  watches: readonly (() => Promise<never>)[],
): Promise<T> {
  const both = new CancellationScope();
  const all: Promise<unknown>[] = [];
  try {
    return await both.run(() => {
      const main = work();
      const others = watches.map((watch) => watch());
      all.push(main, ...others);
      return Promise.race([main, ...others]);
    });
  } finally {
    both.cancel();
    await Promise.allSettled(all);
  }
}
