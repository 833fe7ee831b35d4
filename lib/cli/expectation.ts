import { InvalidArgumentError } from 'commander';
import type { Outcome } from '../sending/outcome';
import type { Attempt } from '../sending/send';

/** True for an attempt as `send --expect` wants it. */
export type Expectation = (attempt: { readonly result: Attempt; readonly outcome: Outcome }) => boolean;

const NAMES: Readonly<Record<string, Expectation>> = {
  success: ({ outcome }) => outcome.kind === 'success',
  final: ({ outcome }) => outcome.kind === 'final',
  retryable: ({ outcome }) => outcome.kind === 'retryable',
  allow: ({ outcome }) => outcome.kind === 'success' && outcome.decision === 'allow',
  deny: ({ outcome }) => outcome.kind === 'success' && outcome.decision === 'deny',
  pending: ({ outcome }) => outcome.kind === 'success' && outcome.decision === 'pending',
};

/** Reads `2xx`, `409`, `success`, `final`, `retryable`, `allow`, `deny` or `pending`. */
export function expectation(text: string): Expectation {
  if (Object.hasOwn(NAMES, text)) return NAMES[text]!;
  const [, digits, isClass] = /^([1-5]|\d{3})(xx)?$/.exec(text) ?? [];
  if (digits === undefined || (digits.length === 1) !== (isClass === 'xx')) {
    throw new InvalidArgumentError(`It must be a status such as 409 or 2xx, or ${Object.keys(NAMES).join(', ')}.`);
  }
  return ({ result }) => 'response' in result && String(result.response.status).startsWith(digits);
}
