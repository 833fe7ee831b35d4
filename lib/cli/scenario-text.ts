import { resultText } from '../simulator/scenario/attempt-words';
import type { AttemptReport, Difference, ScenarioReport, StepReport } from '../simulator/scenario/report';
import { quoted } from '../text';
import { formatTable } from './table';

/** An attempt, or what a step lacks. */
interface Row {
  readonly step: StepReport;
  readonly event: string | undefined;
  /** `undefined` for an attempt that was expected, and for a step without one. */
  readonly attempt: AttemptReport | undefined;
  readonly isAsExpected: boolean;
}

/** In characters. */
const LONGEST_TEXT = 300;

/** Returns the lines for people: a row for each attempt, what is not as expected, and how many rows are. */
export function scenarioText({ steps }: ScenarioReport): string[] {
  const rows = steps.flatMap(rowsOf);
  const right = rows.filter(({ isAsExpected }) => isAsExpected).length;
  return [
    formatTable(rows, {
      '': ({ isAsExpected }) => (isAsExpected ? '✓' : '✗'),
      Delivery: ({ step }) => quoted(step.name),
      Event: ({ event }) => quoted(event ?? '—'),
      Attempt: ({ attempt }) => attempt?.number ?? '—',
      Status: ({ attempt }) => (attempt === undefined ? '—' : quoted(resultText(attempt))),
      'What the platform does next': ({ attempt }) => attempt?.next ?? '—',
      ms: ({ attempt }) => attempt?.durationMs ?? 0,
    }),
    ...differencesText({ steps }),
    '',
    `${right} of ${rows.length} rows are as they must be.`,
  ];
}

/** Returns the lines for what is not as expected. */
export function differencesText({ steps }: Pick<ScenarioReport, 'steps'>): string[] {
  return steps.flatMap(({ name, differences }) => differences.flatMap((each) => ['', ...differenceText(name, each)]));
}

/** Returns two lines. */
export function differenceText(step: string, { what, is, mustBe }: Difference): string[] {
  return [`✗ ${quoted(step)}: ${what} is ${quoted(is, LONGEST_TEXT)}`, `  must be: ${quoted(mustBe, LONGEST_TEXT)}`];
}

/** A difference that belongs to the whole step marks its last row. */
function rowsOf(step: StepReport): Row[] {
  const { deliveries, differences } = step;
  const wrong = new Set(differences.map(({ attempt }) => attempt));
  const rows = deliveries.flatMap(({ event, attempts }, i) =>
    attempts.map((attempt) => ({ step, event, attempt, isAsExpected: i > 0 || !wrong.has(attempt.number) })),
  );
  const [first] = deliveries;
  const missing = differences.filter(({ attempt = 0 }) => attempt > (first?.attempts.length ?? 0));
  const lacking = missing.map(() => ({ step, event: first?.event, attempt: undefined, isAsExpected: false }));
  const all: Row[] = [...rows, ...lacking];
  if (!wrong.has(undefined)) return all;
  const last = all.pop() ?? { step, event: undefined, attempt: undefined };
  return [...all, { ...last, isAsExpected: false }];
}
