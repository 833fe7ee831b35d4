import { byGroup, summaryText, type CheckedCase, type CheckReport } from '../report';
import type { CheckSeverity } from '../severity';

/** Colours a part of the text. */
export type Paint = (style: 'red' | 'green' | 'yellow' | 'dim' | 'bold', text: string) => string;

const STYLES = { must: 'red', should: 'yellow', hint: 'dim' } as const satisfies Record<CheckSeverity, string>;

/** Returns the lines of a report for a terminal. */
export function textReport({ cases, summary, requests, durationMs, seed }: CheckReport, paint: Paint): string[] {
  const lines: string[] = [];
  for (const [letter, title, found] of byGroup(cases.filter(({ outcome }) => outcome !== 'skipped'))) {
    lines.push('', `${paint('bold', letter)}  ${title}   ${countsOf(found)}`);
    for (const each of found) lines.push(...caseLines(each, paint));
  }
  lines.push('', summaryText(summary));
  lines.push(paint('dim', `${requests} requests in ${(durationMs / 1000).toFixed(1)} s, --seed ${seed}`));
  return lines;
}

function countsOf(cases: readonly CheckedCase[]): string {
  const failed = cases.filter(({ outcome }) => outcome === 'failed').length;
  const passed = cases.filter(({ outcome }) => outcome === 'passed').length;
  return failed === 0 ? `${passed} passed` : `${passed} passed, ${failed} failed`;
}

function caseLines(
  { id, severity, section, requirement, outcome, reason, findings, notes, advice }: CheckedCase,
  paint: Paint,
): string[] {
  if (outcome === 'not-run') return [`  ${id}  not run: ${reason}`];
  const lines: string[] = [];
  if (outcome === 'failed') {
    lines.push(
      `  ${paint(STYLES[severity], `✗ ${id}  ${severity}`)}  ${requirement} ${paint('dim', sectionText(section))}`,
    );
    for (const { problem, request, answer, consequence } of findings) {
      lines.push(`      ${problem}`);
      if (request !== '') lines.push(paint('dim', `      → ${request}`), `      ← ${answer}`, `        ${consequence}`);
    }
    lines.push(`      ${advice}`);
  }
  return [...lines, ...notes.map((note) => paint('dim', `  ${id}  ${note}`))];
}

/** Returns where a requirement comes from. */
export function sectionText(section: string): string {
  return /^\d/.test(section) ? `(contract, section ${section})` : `(${section})`;
}
