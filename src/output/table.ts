/** Text tables with aligned columns. */
import { escapeLine } from '../process/escape.ts';

/**
 * Render rows; cells are padded, lines are cut at `width`. A cell is one line whatever it holds: what a terminal would
 * obey is spelled out.
 */
export function table(given: readonly (readonly string[])[], width = 100): string {
  const rows = given.map((row) => row.map(escapeLine));
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_none, at) =>
    Math.max(...rows.map((row) => row[at]?.length ?? 0)),
  );
  return rows
    .map((row) => {
      const line = row
        .map((cell, at) => (at === row.length - 1 ? cell : cell.padEnd(widths[at] ?? 0)))
        .join('  ');
      return line.length > width ? `${line.slice(0, width - 1)}…` : line;
    })
    .join('\n');
}
