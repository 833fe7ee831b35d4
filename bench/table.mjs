/** Rows of cells, the first being the head, as Markdown or in columns for a terminal. Numbers stand to the right. */
export function formatTable([head, ...rows], { markdown }) {
  return markdown ? asMarkdown(head, rows) : asColumns([head, ...rows].map((row) => row.map(withoutMarkup)));
}

function asMarkdown(head, rows) {
  const rule = head.map((_, column) => (column === 0 ? '---' : '---:'));
  return [head, rule, ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');
}

function asColumns(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell, column) => (column === 0 ? cell.padEnd(widths[0]) : cell.padStart(widths[column]));
  return rows.map((row) => row.map(pad).join('  ')).join('\n');
}

function withoutMarkup(cell) {
  return cell.replaceAll(/\*\*|`/g, '');
}
