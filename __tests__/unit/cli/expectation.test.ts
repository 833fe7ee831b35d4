import { expectation } from '../../../lib/cli/expectation';
import { outcomeOf } from '../../../lib/sending/outcome';
import type { Attempt } from '../../../lib/sending/send';

const response = (status: number, body = ''): Attempt => ({
  response: { status, headers: [], body: Buffer.from(body), droppedBytes: 0 },
  durationMs: 1,
});

const ATTEMPTS = {
  200: response(200),
  allow: response(200, '{"status":"allow"}'),
  pending: response(200, '{"status":"pending"}'),
  deny: response(200, '{"status":"deny"}'),
  404: response(404),
  429: response(429),
  500: response(500),
  none: { failure: { code: 'timeout', message: 'no response' }, durationMs: 1 },
} satisfies Record<string, Attempt>;

/** The attempts of a guard that are as expected. */
function wanted(text: string): string[] {
  const isWanted = expectation(text);
  const names = Object.keys(ATTEMPTS) as unknown as (keyof typeof ATTEMPTS)[];
  return names
    .filter((name) => {
      const result = ATTEMPTS[name];
      return isWanted({ result, outcome: outcomeOf(result, { event: 'before_transition', isRequired: true }) });
    })
    .map(String);
}

describe('expectation', () => {
  it.each([
    ['success', ['200', 'allow', 'pending', 'deny']],
    ['2xx', ['200', 'allow', 'pending', 'deny']],
    ['200', ['200', 'allow', 'pending', 'deny']],
    ['4xx', ['404', '429']],
    ['404', ['404']],
    ['final', ['404']],
    ['retryable', ['429', '500', 'none']],
    // Silence is consent.
    ['allow', ['200', 'allow']],
    ['pending', ['pending']],
    // A failure cancels the transition, too, but is not a decision.
    ['deny', ['deny']],
    ['201', []],
  ])('should accept of %s: %j', (text, names) => expect(wanted(text).sort()).toEqual([...names].sort()));

  it.each(['', '2', '20', '2x', '2000', '6xx', '20x', 'xx', 'toString', 'Success', '-200'])(
    'should refuse %j',
    (text) => {
      expect(() => expectation(text)).toThrow(/^It must be a status such as 409 or 2xx, or success, final, retryable/);
    },
  );
});
