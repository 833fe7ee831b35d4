import { escapeXml } from '../../text';
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
      `  <testsuite name="${escapeXml(`${letter} ${title}`)}" ${counts}>`,
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
  const start = `    <testcase classname="kiket.${group}" name="${escapeXml(`${id} ${requirement}`)}"`;
  if (isSkipped(each)) return `${start}><skipped message="${escapeXml(reason)}"/></testcase>`;
  if (outcome === 'passed') return `${start}/>`;
  const message = `${severity}: ${each.findings[0]!.problem}`;
  if (!isFailure) return `${start}><system-out>${escapeXml(`${message}\n${detailsOf(each)}`)}</system-out></testcase>`;
  return `${start}><failure type="${severity satisfies CheckSeverity}" message="${escapeXml(message)}">${escapeXml(detailsOf(each))}</failure></testcase>`;
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
