import { toKiketError } from '../errors';

/** The error of a failed attempt, as it may be written to a database: name, message and stack of what was thrown, redacted. */
export interface JobFailure {
  /** Name and message. */
  readonly message: string;
  readonly stack: string;
  /** False when no further attempt is to be made. */
  readonly retryable: boolean;
  readonly retryAfterSeconds: number | undefined;
}

/** Returns the failure of an attempt whose handler has thrown. */
export function describeFailure(thrown: unknown, redact: (text: string) => string): JobFailure {
  const name = readString(thrown, 'name') ?? 'Error';
  const own = typeof thrown === 'string' ? thrown : readString(thrown, 'message');
  const message = redact(`${name}: ${own ?? 'a value that is not an error was thrown'}`);
  const stack = readString(thrown, 'stack');
  const { retryable, retryAfterSeconds } = toKiketError(thrown);
  return { message, stack: stack === undefined ? message : redact(stack), retryable, retryAfterSeconds };
}

/** Returns a member of an error, whatever was thrown. */
export function readString(thrown: unknown, field: 'name' | 'message' | 'stack'): string | undefined {
  try {
    const value = (thrown as Partial<Error> | null | undefined)?.[field];
    return typeof value === 'string' ? value : undefined;
  } catch {
    // Its accessors throw.
    return undefined;
  }
}
