/** A fenced block, and the last heading before it. */
export interface Block {
  readonly heading: string;
  readonly language: string;
  /** The word after the language: `before` in "```ts before". */
  readonly mark: string;
  readonly code: string;
}

export interface Section {
  readonly heading: string;
  readonly text: string;
}

const FENCE = /^```(\w*)(?: ([^\n]+))?\n(.*?)^```$/gms;
const HEADING = /^(#+) (.+)$/;

export function blocksOf(markdown: string): Block[] {
  return [...markdown.matchAll(FENCE)].map((match) => {
    const before = withoutBlocks(markdown.slice(0, match.index)).split('\n');
    const heading = before.findLast((line) => HEADING.test(line))?.replace(HEADING, '$2') ?? '';
    return { heading, language: match[1]!, mark: match[2] ?? '', code: match[3]! };
  });
}

/** Returns the text under each heading of a level, up to the next heading of that level or above it. */
export function sectionsOf(markdown: string, level: number): Section[] {
  const sections: { heading: string; text: string }[] = [];
  let current: { heading: string; text: string } | undefined;
  for (const line of markdown.split('\n')) {
    const [, marks, heading] = HEADING.exec(line) ?? [];
    if (marks !== undefined && marks.length <= level) {
      current = marks.length === level ? { heading: heading!, text: '' } : undefined;
      if (current !== undefined) sections.push(current);
    } else if (current !== undefined) {
      current.text += `\n${line}`;
    }
  }
  return sections;
}

export function linksOf(markdown: string): string[] {
  return [...withoutBlocks(markdown).matchAll(/\]\(([^)\s]+)\)/g)].map((match) => match[1]!);
}

/** The anchors of headings, as on GitHub. */
export function anchorsOf(markdown: string): string[] {
  const headings = withoutBlocks(markdown)
    .split('\n')
    .filter((line) => HEADING.test(line));
  return headings.map((line) =>
    line
      .replace(HEADING, '$2')
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** The cells of the first table in a text, without its heading and without backticks. */
export function tableOf(text: string): string[][] {
  const lines = text.split('\n');
  const start = lines.findIndex((line) => line.startsWith('|'));
  const length = lines.slice(start).findIndex((line) => !line.startsWith('|'));
  const rows = lines.slice(start + 2, length === -1 ? undefined : start + length);
  return rows.map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.replaceAll('`', '').trim()),
  );
}

export function withoutBlocks(markdown: string): string {
  return markdown.replace(FENCE, '');
}
