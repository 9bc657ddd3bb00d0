/** Can a server be reached from this node? Asked after a failure, so that a broken line is waited out, not reported. */

/** Try one request; null when anything answers, else why not. */
export async function whyUnreachable(url: string): Promise<string | null> {
  try {
    const response = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return null;
  } catch (error) {
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
    return cause instanceof Error ? cause.message : String(cause);
  }
}
