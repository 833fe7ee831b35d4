import { MAX_DELAY_MS } from '../options';

/** Delays before each retry, in milliseconds, by the name of the schedule. The contract says how many, the documentation when. */
export const SCHEDULES = {
  none: [],
  // The contract says five, and exponentially. The figures are assumed.
  contract: [30_000, 60_000, 120_000, 240_000, 480_000],
  docs: [30_000, 60_000, 300_000, 1_800_000, 7_200_000, 28_800_000],
  fast: [100, 200, 400, 800, 1600],
  // Older documents name nine retries, and retries for a day. The figures are assumed.
  legacy: doubling(9),
  '24h': doubling(11),
} as const satisfies Record<string, readonly number[]>;

/** From 30 seconds. */
function doubling(retries: number): number[] {
  return Array.from({ length: retries }, (_, i) => 30_000 * 2 ** i);
}

/** Their names, for people. */
export const SCHEDULE_NAMES = Object.keys(SCHEDULES).join(', ');

/** The name of a schedule. */
export type ScheduleName = keyof typeof SCHEDULES;

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/**
 * Returns a duration such as `500ms`, `30s`, `5m` or `2h` in whole milliseconds; `undefined` for any other text, and for one that is
 * longer than a timer takes.
 */
export function parseDuration(text: string): number | undefined {
  const [, digits, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const ms = Math.round(Number(digits) * UNITS[unit!]!);
  return ms <= MAX_DELAY_MS ? ms : undefined;
}

/** Returns milliseconds for people, in the largest unit that needs at most one decimal: `30 s`, `1.5 min`. */
export function durationText(ms: number): string {
  const units = Object.entries(UNITS).reverse();
  const [unit, size] = units.find(([, each]) => ms >= each && Number.isInteger((ms / each) * 10)) ?? ['ms', 1];
  return `${Number((ms / size).toFixed(1))} ${unit === 'm' ? 'min' : unit}`;
}

/** Returns the delays of a named schedule, or of a list such as `30s,1m,5m`; `undefined` for any other text. */
export function parseSchedule(text: string): readonly number[] | undefined {
  if (Object.hasOwn(SCHEDULES, text)) return SCHEDULES[text as ScheduleName];
  const delays = text.split(',').map(parseDuration);
  return delays.every((delay) => delay !== undefined) ? delays : undefined;
}
