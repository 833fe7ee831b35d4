import {
  attemptText,
  isAsExpected,
  problemOf,
  resultText,
  type DescribedAttempt,
} from '../../../../lib/simulator/scenario/attempt-words';

const REFUSED: DescribedAttempt = { kind: 'final', status: 401, code: 'signature.mismatch' };
const DENIED: DescribedAttempt = { kind: 'success', status: 200, decision: 'deny' };
const SILENT: DescribedAttempt = { kind: 'retryable', failure: 'timeout' };

describe('the expectation of an attempt', () => {
  it.each([
    ['final', REFUSED, true],
    ['401', REFUSED, true],
    ['4xx', REFUSED, true],
    ['signature.mismatch', REFUSED, true],
    ['  signature.mismatch   401 final ', REFUSED, true],
    ['retryable 401', REFUSED, false],
    ['final 403', REFUSED, false],
    ['5xx', REFUSED, false],
    ['final 401 signature.stale', REFUSED, false],
    ['200 deny', DENIED, true],
    ['success allow', DENIED, false],
    ['retryable timeout', SILENT, true],
    ['ECONNREFUSED', SILENT, false],
    ['2xx', SILENT, false],
  ])('should be compared word by word: %j', (expected, attempt, result) => {
    expect(isAsExpected(attempt, expected)).toBe(result);
  });

  it.each([
    ['', 'is empty'],
    ['sucess', 'has "sucess". Did you mean "success"?'],
    ['success 42', 'has "42"'],
    ['retryable 600', 'has "600"'],
    ['6xx', 'has "6xx"'],
    ['success oh', 'has "oh"'],
  ])('should be refused for a word that no attempt has: %j', (expected, problem) => {
    expect(problemOf(expected)).toBe(problem);
  });

  it.each(['success', '503', '5xx', 'my-code.of_mine', 'ECONNRESET', 'UND_ERR', 'timeout', 'final 422 api.refused'])(
    'should be valid: %j',
    (expected) => {
      expect(problemOf(expected)).toBeUndefined();
    },
  );
});

describe('an attempt', () => {
  it('should be described in the same words', () => {
    expect([REFUSED, DENIED, SILENT].map(attemptText)).toEqual([
      'final 401 signature.mismatch',
      'success 200 deny',
      'retryable timeout',
    ]);
    expect(resultText(REFUSED)).toBe('401 signature.mismatch');
    for (const attempt of [REFUSED, DENIED, SILENT]) expect(isAsExpected(attempt, attemptText(attempt))).toBe(true);
  });
});
