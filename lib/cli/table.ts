/** A cell. Numbers are aligned to the right. */
export type Cell = string | number;

/**
 * Formats rows as an aligned table.
 *
 * @param columns heading → a function that returns the cell of a row.
 */
export function formatTable<Row>(rows: readonly Row[], columns: Readonly<Record<string, (row: Row) => Cell>>): string {
  const headings = Object.keys(columns);
  const cells = rows.map((row) => headings.map((heading) => columns[heading]!(row)));
  const widths = headings.map((heading, i) => Math.max(heading.length, ...cells.map((line) => String(line[i]).length)));
  const isNumber = headings.map((_, i) => cells.every((line) => typeof line[i] === 'number'));
  const align = (cell: Cell, i: number): string => String(cell)[isNumber[i] ? 'padStart' : 'padEnd'](widths[i]!);

  const lines = [headings, widths.map((width) => '─'.repeat(width)), ...cells];
  return lines.map((line) => line.map(align).join('  ').trimEnd()).join('\n');
}
