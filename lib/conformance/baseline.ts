import { isObject } from '../guards';
import type { CheckedCase } from './report';
import { SEVERITIES, type CheckSeverity } from './severity';

/** The known failures of an old service, by case. */
export type Baseline = Readonly<Record<string, CheckSeverity>>;

/** A run compared with a baseline. */
export interface BaselineComparison {
  /** Failures that the baseline does not know, or knows as less grave. */
  readonly added: readonly CheckedCase[];
  /** Failures that the baseline knows. */
  readonly known: readonly CheckedCase[];
  /** Cases of the baseline that pass now, and must be taken out. */
  readonly mended: readonly CheckedCase[];
}

/** Compares the failures of a run with a baseline. */
export function compareWithBaseline(cases: readonly CheckedCase[], baseline: Baseline): BaselineComparison {
  const isKnown = ({ id, severity }: CheckedCase): boolean => {
    const known = baseline[id];
    return known !== undefined && SEVERITIES.indexOf(severity) >= SEVERITIES.indexOf(known);
  };
  const failed = cases.filter(({ outcome }) => outcome === 'failed');
  return {
    added: failed.filter((each) => !isKnown(each)),
    known: failed.filter(isKnown),
    mended: cases.filter(({ id, outcome }) => outcome === 'passed' && baseline[id] !== undefined),
  };
}

/** Reads the text of a baseline file. @throws {TypeError} when it is not one. */
export function parseBaseline(text: string): Baseline {
  const value: unknown = JSON.parse(text);
  const failures = isObject(value) ? value['failures'] : undefined;
  const isValid = isObject(failures) && Object.values(failures).every((each) => SEVERITIES.includes(each as never));
  if (!isValid) throw new TypeError('it must be {"schema":1,"failures":{"B6":"must"}}, as --update-baseline writes it');
  return failures as Baseline;
}

/** Writes the failures of a run. What did not run stays as it was. */
export function writeBaseline(cases: readonly CheckedCase[], before: Baseline): string {
  const failures = cases.flatMap(({ id, severity, outcome }): [string, CheckSeverity][] => {
    if (outcome === 'failed') return [[id, severity]];
    return outcome === 'passed' || before[id] === undefined ? [] : [[id, before[id]]];
  });
  return `${JSON.stringify({ schema: 1, failures: Object.fromEntries(failures) }, null, 2)}\n`;
}
