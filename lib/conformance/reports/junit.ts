import { byGroup, type CheckedCase, type CheckReport } from '../report';
import type { CheckSeverity } from '../severity';

/**
 * Returns a report in the format of JUnit, which CI systems read.
 *
 * @param failing the severities that fail the run: the other failures are part of the output of a case.
 */
export function junitReport({ cases, durationMs }: CheckReport, failing: (each: CheckedCase) => boolean): string {
  const suites = byGroup(cases).map(([letter, title, found]) => {
    const isFailure = (each: CheckedCase): boolean => each.outcome === 'failed' && failing(each);
    const counts = `tests="${found.length}" failures="${found.filter(isFailure).length}" skipped="${found.filter(isSkipped).length}"`;
    return [
      `  <testsuite name="${escaped(`${letter} ${title}`)}" ${counts}>`,
      ...found.map((each) => caseElement(each, letter, isFailure(each))),
      '  </testsuite>',
    ].join('\n');
  });
  const time = (durationMs / 1000).toFixed(3);
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kiket-express check" time="${time}">\n${suites.join('\n')}\n</testsuites>\n`;
}

const isSkipped = ({ outcome }: CheckedCase): boolean => outcome !== 'passed' && outcome !== 'failed';

function caseElement(each: CheckedCase, group: string, isFailure: boolean): string {
  const { id, requirement, reason, severity, outcome } = each;
  const start = `    <testcase classname="kiket.${group}" name="${escaped(`${id} ${requirement}`)}"`;
  if (isSkipped(each)) return `${start}><skipped message="${escaped(reason)}"/></testcase>`;
  if (outcome === 'passed') return `${start}/>`;
  const message = `${severity}: ${each.findings[0]!.problem}`;
  if (!isFailure) return `${start}><system-out>${escaped(`${message}\n${detailsOf(each)}`)}</system-out></testcase>`;
  return `${start}><failure type="${severity satisfies CheckSeverity}" message="${escaped(message)}">${escaped(detailsOf(each))}</failure></testcase>`;
}

function detailsOf({ findings, advice }: CheckedCase): string {
  const lines = findings.flatMap(({ problem, request, answer, consequence }) => [
    problem,
    request,
    answer,
    consequence,
  ]);
  return [...lines, advice].filter((line) => line !== '').join('\n');
}

/** Also removes the control characters that XML does not allow. */
function escaped(text: string): string {
  return (
    text
      // eslint-disable-next-line no-control-regex -- These are what is removed.
      .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, '\uFFFD')
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
  );
}
