import type { ScenarioReport, StepReport } from '../simulator/scenario/report';
import { escapeXml } from '../text';
import { differenceText } from './scenario-text';

/** Returns reports in the format of JUnit, which CI systems read: a suite for each scenario, a case for each step. */
export function scenarioJunit(reports: readonly ScenarioReport[]): string {
  const suites = reports.map(({ name, steps, durationMs }) => {
    const failures = steps.filter(({ differences }) => differences.length > 0).length;
    const counts = `tests="${steps.length}" failures="${failures}" time="${(durationMs / 1000).toFixed(3)}"`;
    return [
      `  <testsuite name="${escapeXml(name)}" ${counts}>`,
      ...steps.map((step) => caseElement(step, name)),
      '  </testsuite>',
    ].join('\n');
  });
  return `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="kiket-express simulate">\n${suites.join('\n')}\n</testsuites>\n`;
}

function caseElement({ number, name, differences }: StepReport, scenario: string): string {
  const start = `    <testcase classname="${escapeXml(scenario)}" name="${escapeXml(`${number} ${name}`)}"`;
  const [first] = differences;
  if (first === undefined) return `${start}/>`;
  const message = `${first.what} is ${first.is}`;
  const details = differences.flatMap((each) => differenceText(name, each)).join('\n');
  return `${start}><failure message="${escapeXml(message)}">${escapeXml(details)}</failure></testcase>`;
}
