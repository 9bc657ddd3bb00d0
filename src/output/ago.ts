/** How long ago a moment was, in words. */
import prettyMs from 'pretty-ms';

export const ago = (moment: number, now = Date.now()): string =>
  `${prettyMs(Math.max(0, now - moment), { compact: true })} ago`;
