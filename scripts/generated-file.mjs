// What the scripts share that write pages from the code.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import prettier from 'prettier';

/** Returns the absolute path of a file of the repository. */
export const pathOf = (relative) => fileURLToPath(new URL(`../${relative}`, import.meta.url));

/**
 * Writes a file of the repository, formatted. With --check it compares, and the process ends with 1 when the file is not
 * up to date.
 *
 * @param command writes the file.
 */
export async function writeGenerated(relative, content, command) {
  const file = pathOf(relative);
  const text = await prettier.format(content, { ...(await prettier.resolveConfig(file)), filepath: file });
  if (!process.argv.includes('--check')) return writeFileSync(file, text);
  if (existsSync(file) && readFileSync(file, 'utf8') === text) return;
  console.error(`${relative} is not up to date: ${command}`);
  process.exitCode = 1;
}

/** Returns a table in Markdown. */
export function table(heads, rows) {
  const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(heads), line(heads.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Returns a page with other content between two marks. @throws {Error} when it has not both. */
export function withContent(page, [begin, end], content) {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to === -1) throw new Error(`The page needs ${begin} and ${end}`);
  return `${page.slice(0, from)}${begin}\n\n${content}\n\n${page.slice(to)}`;
}
