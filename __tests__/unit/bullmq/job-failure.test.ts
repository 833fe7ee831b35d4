import * as bullMq from 'bullmq';
import createError from 'http-errors';
import { KiketError, MissingSecretError, NonRetryableError, RetryableError } from 'kiket-express';
import { KiketApiError } from '../../../lib/errors';
import { backoff, bullFailureOf } from '../../../lib/bullmq/job-failure';
import { describeFailure } from '../../../lib/queue/job-failure';

const revoked = Proxy.revocable({}, {});
revoked.revoke();

function fail(thrown: unknown): Error {
  const failure = describeFailure(thrown, (text) => text.replaceAll('canary', '[redacted]'));
  return bullFailureOf(failure, thrown, bullMq);
}

function isFinal(failure: Error): boolean {
  return failure instanceof bullMq.UnrecoverableError;
}

class TypedError extends RetryableError {
  override readonly name = 'TypedError';
}

describe('the error of a failed attempt for BullMQ', () => {
  it.each<[string, unknown, string]>([
    ['RetryableError', new RetryableError('busy'), 'RetryableError: busy'],
    ['one of the user’s own', new TypedError('busy'), 'TypedError: busy'],
    ['an unknown error', new RangeError('boom'), 'RangeError: boom'],
    ['a wiring mistake', KiketError.of('api.not_configured', 'no key'), 'KiketError: no key'],
    ['an outage of the API', KiketApiError.because('api.unavailable', 'down'), 'KiketApiError: down'],
    ['a foreign 404', Object.assign(new Error('Not Found'), { status: 404 }), 'Error: Not Found'],
    ['an exposed 503', createError(503, 'later'), 'ServiceUnavailableError: later'],
    ['a string', 'bullmq:rateLimitExceeded', 'Error: bullmq:rateLimitExceeded'],
    ['nothing', undefined, 'Error: a value that is not an error was thrown'],
    ['null', null, 'Error: a value that is not an error was thrown'],
    ['an object', { code: 1 }, 'Error: a value that is not an error was thrown'],
    ['a number as a message', { name: 1, message: 2 }, 'Error: a value that is not an error was thrown'],
    ['a revoked proxy', revoked.proxy, 'Error: a value that is not an error was thrown'],
    // Control errors of BullMQ, with which it would leave the job to no worker.
    ['DelayedError', new bullMq.DelayedError('boom'), 'DelayedError: boom'],
    ['WaitingError', new bullMq.WaitingError('boom'), 'WaitingError: boom'],
    ['WaitingChildrenError', new bullMq.WaitingChildrenError('boom'), 'WaitingChildrenError: boom'],
    ['RateLimitError', bullMq.Worker.RateLimitError(), 'RateLimitError: bullmq:rateLimitExceeded'],
  ])('should be retryable for %s', (_what, thrown, message) => {
    const failure = fail(thrown);
    expect(isFinal(failure)).toBe(false);
    expect(failure.name).toBe('Error');
    expect(failure.message).toBe(message);
  });

  it.each<[string, unknown, string]>([
    ['NonRetryableError', new NonRetryableError('gone'), 'NonRetryableError: gone'],
    ['a missing secret', MissingSecretError.of('secret.missing', 'gone'), 'MissingSecretError: gone'],
    ['a refusal of the API', KiketApiError.because('api.refused', 'gone'), 'KiketApiError: gone'],
    ['an exposed 404', createError(404, 'gone'), 'NotFoundError: gone'],
    ['BullMQ’s own UnrecoverableError', new bullMq.UnrecoverableError('gone'), 'UnrecoverableError: gone'],
  ])('should be final for %s', (_what, thrown, message) => {
    const failure = fail(thrown);
    expect(isFinal(failure)).toBe(true);
    expect(failure.message).toBe(message);
  });

  it('should keep the stack of the thrown error', () => {
    const thrown = new NonRetryableError('gone');
    expect(fail(thrown).stack).toBe(thrown.stack);
    expect(fail('boom').stack).toBe('Error: boom');
  });

  it.each([new Error('the canary'), new NonRetryableError('the canary'), 'the canary'])(
    'should contain no secret in message and stack of %s',
    (thrown) => {
      const { message, stack } = fail(thrown);
      expect(`${message} ${stack}`).not.toContain('canary');
      expect(message).toContain('the [redacted]');
      expect(stack).toContain('the [redacted]');
    },
  );
});

describe('the next attempt', () => {
  it.each([
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [9, 256_000],
    [10, 300_000],
    [2000, 300_000],
  ])('should come, after attempt %d, within half to the whole of %d ms', (attemptsMade, longestMs) => {
    const delays = Array.from({ length: 200 }, () => backoff(attemptsMade, 'kiket', fail(new Error('boom'))));
    expect(Math.min(...delays)).toBeGreaterThanOrEqual(longestMs / 2);
    expect(Math.max(...delays)).toBeLessThanOrEqual(longestMs);
    // Attempts that failed at the same time are not repeated at the same time.
    expect(new Set(delays).size).toBeGreaterThan(10);
    expect(delays.every(Number.isInteger)).toBe(true);
  });

  it.each<[unknown, number]>([
    [new RetryableError('busy', { retryAfterSeconds: 90 }), 90_000],
    [new RetryableError('busy', { retryAfterSeconds: 0 }), 0],
    [KiketApiError.because('api.rate_limited', 'busy', { retryAfterSeconds: 42 }), 42_000],
    [createError(503, 'busy', { expose: true, headers: { 'retry-after': '7' } }), 7000],
    [new RetryableError('busy', { retryAfterSeconds: Number.MAX_SAFE_INTEGER }), 31_536_000_000],
  ])('should come after the delay of %s', (thrown, delayMs) => {
    expect(backoff(1, 'kiket', fail(thrown))).toBe(delayMs);
  });

  it('should come after the default backoff for an error of another package', () => {
    expect(backoff(1, 'kiket', undefined)).toBeLessThanOrEqual(1000);
  });
});
