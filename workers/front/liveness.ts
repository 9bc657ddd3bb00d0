/**
 * Ends sessions whose far side is gone without a word (power cut, cable). Until then the service would still give
 * tasks to their polls, and each would be lost until its time-out.
 */
import type { ServerHttp2Session } from 'node:http2';

const PING_EVERY_MS = 10_000;

/** Ping until the session closes; one ping that is not answered before the next is due ends it. */
export function watchLiveness(session: ServerHttp2Session): void {
  let isAnswered = true;
  const timer = setInterval(() => {
    if (!isAnswered) {
      session.destroy();
      return;
    }
    isAnswered = false;
    if (session.destroyed) return;
    session.ping(() => {
      isAnswered = true;
    });
  }, PING_EVERY_MS);
  session.on('close', () => {
    clearInterval(timer);
  });
}
