import { readRateLimit, readRetryAfter, toRateLimit } from '../../../lib/api/rate-limit';

const NOW = Date.parse('2026-01-01T00:00:00Z');

describe('readRetryAfter', () => {
  it.each<[string | string[] | undefined, number | undefined]>([
    ['0', 0],
    ['30', 30],
    ['3600', 3600],
    ['86400', 3600],
    ['Thu, 01 Jan 2026 00:00:30 GMT', 30],
    ['Thursday, 01-Jan-26 00:00:30 GMT', 30],
    ['Wed, 31 Dec 2025 23:59:00 GMT', 0],
    ['2026-01-01T00:00:30Z', undefined],
    ['x Thu, 01 Jan 2026 00:00:30 GMT', undefined],
    ['Thu, 01 Jan 2026 00:00:30 GMT+0100', undefined],
    ['5 s', undefined],
    ['-1', undefined],
    ['1.5', undefined],
    ['', undefined],
    [['30'], undefined],
    [undefined, undefined],
  ])('should read %j as %p seconds', (value, seconds) => {
    expect(readRetryAfter({ 'retry-after': value }, NOW)).toBe(seconds);
  });
});

describe('readRateLimit', () => {
  const headers = (limit?: string, remaining?: string, reset?: string) => ({
    'x-ratelimit-limit': limit,
    'x-ratelimit-remaining': remaining,
    'x-ratelimit-reset': reset,
  });

  it.each<[string, number]>([
    ['0', 0],
    ['59', 59],
    ['999999999', 999_999_999],
    ['1000000000', 0],
    [String(NOW / 1000 + 30), 30],
    [String(NOW / 1000 - 30), 0],
  ])('should read a reset of %s as in %d s', (reset, resetInSeconds) => {
    const expected = { limit: 600, remaining: 9, windowSeconds: 60, resetInSeconds };
    expect(readRateLimit(headers('600', '9', reset), NOW)).toEqual(expected);
  });

  it.each([
    [undefined, '9', '30'],
    ['600', undefined, '30'],
    ['600', '9', undefined],
    ['600', '-9', '30'],
    ['600', '9', '1.5'],
    ['many', '9', '30'],
    ['12345678901', '9', '30'],
  ])('should be undefined for the headers %s, %s and %s', (...values) => {
    expect(readRateLimit(headers(...values), NOW)).toBeUndefined();
  });
});

describe('toRateLimit', () => {
  const wire = { limit: 600, remaining: 9, window_seconds: 60, reset_in: 30 };

  it('should read the body of the API', () => {
    const expected = { limit: 600, remaining: 9, windowSeconds: 60, resetInSeconds: 30 };
    expect(toRateLimit({ rate_limit: wire })).toEqual(expected);
  });

  it.each([undefined, null, 'x', {}, { rate_limit: null }, { rate_limit: { ...wire, limit: '600' } }])(
    'should be undefined for %j',
    (body) => {
      expect(toRateLimit(body)).toBeUndefined();
    },
  );
});
