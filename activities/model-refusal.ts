/**
 * Finds what stage_model.py said when it gave up, in the end of its log. It begins with one word, and what the hub
 * said follows, which may take several lines.
 */
export function refusalIn(evidence: string): string {
  const lines = evidence.replace(/^exit [^:\n]*: /, '').split('\n');
  const from = lines.findLastIndex((line) => /^(GATED|NOT_FOUND|PICKLED|INCOMPLETE) /.test(line));
  return lines.slice(from).join('\n');
}
