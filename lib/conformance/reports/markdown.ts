import { summaryText, type CheckReport } from '../report';
import { sectionText } from './text';

/** Returns a report for a pull request or a wiki. */
export function markdownReport({ url, event, scheme, cases, summary }: CheckReport): string {
  const failed = cases.filter(({ outcome }) => outcome === 'failed');
  const rows = failed.map(({ id, severity, requirement, section, findings, advice }) => {
    const { problem, answer, consequence } = findings[0]!;
    const came = [problem, answer, consequence].filter((text) => text !== '').join('; ');
    return `| ${id} | ${severity} | ${cell(`${requirement} ${sectionText(section)}`)} | ${cell(came)} | ${cell(advice)} |`;
  });
  const table = ['| Case | Severity | Requirement | What came | Advice |', '| --- | --- | --- | --- | --- |', ...rows];
  return [
    '# Conformance to the delivery contract of Kiket',
    '',
    `\`${url}\`, event \`${event}\`, signature scheme \`${scheme}\`: **${summaryText(summary)}**.`,
    '',
    ...(failed.length === 0 ? ['Nothing failed.'] : table),
    '',
  ].join('\n');
}

/** Text of a receiver stays text. */
function cell(text: string): string {
  return text.replace(/[\\`*_[\]<>|#]/g, String.raw`\$&`).replace(/\s+/g, ' ');
}
