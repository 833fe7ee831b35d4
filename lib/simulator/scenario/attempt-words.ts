import { nearestTo } from '../../options';

/** An attempt, in the words that a scenario has for it. */
export interface DescribedAttempt {
  readonly kind: 'success' | 'retryable' | 'final';
  /** HTTP status; `undefined` without a response. */
  readonly status?: number | undefined;
  /** Why there is no response: `timeout`, or a code such as `ECONNREFUSED`. */
  readonly failure?: string | undefined;
  /** The code of the error in the response. */
  readonly code?: string | undefined;
  /** Of a guard. */
  readonly decision?: string | undefined;
}

const NAMES = ['success', 'retryable', 'final', 'allow', 'deny', 'pending', 'timeout', 'lost'];

/** A status or its class; a code such as `signature.mismatch`; a code of Node such as `ECONNREFUSED`. */
const OTHERS = /^(?:[1-5]\d\d|[1-5]xx|[\w-]+(?:\.[\w-]+)+|[A-Z][A-Z\d_]+)$/;

/** Returns what is wrong with the expectation of an attempt, such as `retryable 429`; `undefined` when it is valid. */
export function problemOf(expected: string): string | undefined {
  const words = wordsOf(expected);
  if (words.length === 0) return 'is empty';
  const unknown = words.find((word) => !NAMES.includes(word) && !OTHERS.test(word));
  if (unknown === undefined) return undefined;
  const near = nearestTo(unknown, NAMES);
  return `has ${JSON.stringify(unknown)}${near === undefined ? '' : `. Did you mean "${near}"?`}`;
}

/** True when each word is one of those of the attempt. */
export function isAsExpected(attempt: DescribedAttempt, expected: string): boolean {
  const words: readonly unknown[] = wordsOfAttempt(attempt);
  const { status } = attempt;
  const statusClass = status === undefined ? undefined : `${Math.floor(status / 100)}xx`;
  return wordsOf(expected).every((word) => words.includes(word) || word === statusClass);
}

/** `retryable 503 handler.retryable`, `success 200 deny`, `retryable timeout`. */
export function attemptText(attempt: DescribedAttempt): string {
  return wordsOfAttempt(attempt).join(' ');
}

/** `503 handler.retryable`, `200 deny`, `timeout`. */
export function resultText(attempt: DescribedAttempt): string {
  return wordsOfAttempt(attempt).slice(1).join(' ');
}

function wordsOfAttempt({ kind, status, failure, code, decision }: DescribedAttempt): string[] {
  const words = [kind, status === undefined ? failure : String(status), code ?? decision];
  return words.filter((word) => word !== undefined);
}

function wordsOf(expected: string): string[] {
  return expected.split(/\s+/).filter((word) => word !== '');
}
