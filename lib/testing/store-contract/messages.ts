import { AssertionError } from 'node:assert/strict';
import { inspect } from 'node:util';

/** A call that has ended, as messages show it. */
export interface StoreCall {
  readonly call: string;
  readonly result: string;
}

/** Longest string that is shown, in characters. */
const LONGEST_STRING = 60;

/** Calls that are shown, of which some cases make hundreds. */
const MOST_CALLS = 15;

/** Characters that are shown around the first difference. */
const AROUND = 10;

/** @throws {AssertionError} which runners of tests show with its message. */
export function fail(message: string, cause?: unknown): never {
  const error = new AssertionError({ message, operator: 'fail', stackStartFn: fail });
  throw cause === undefined ? error : Object.assign(error, { cause });
}

/** Returns a value for a message. The random part of keys is left out. */
export function show(value: unknown): string {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  const text = inspect(value, { breakLength: Infinity, compact: true, maxStringLength: LONGEST_STRING });
  return text.replace(/\{contract-[\da-f-]+\}/g, '{…}');
}

/** Returns a sentence that says where two long strings differ; an empty string for short ones, which are shown whole. */
export function differenceOf(expected: string, received: string): string {
  if (Math.max(expected.length, received.length) <= LONGEST_STRING) return '';
  let at = 0;
  while (expected[at] === received[at]) at++;
  const near = (text: string): string => show(text.slice(Math.max(0, at - AROUND), at + AROUND));
  const lengths = `${expected.length} and ${received.length} characters long`;
  return ` They are ${lengths}, and differ from character ${at} on: ${near(expected)} and ${near(received)}.`;
}

/** Returns the last calls, one a line. Repeated ones are shown once, with the last result. */
export function listOf(calls: readonly StoreCall[]): string {
  const distinct = calls.filter(({ call }, i) => call !== calls[i + 1]?.call);
  const lines = distinct.slice(-MOST_CALLS).map(({ call, result }) => `  ${call} → ${result}`);
  return [...(distinct.length > MOST_CALLS ? ['  …'] : []), ...lines].join('\n');
}
