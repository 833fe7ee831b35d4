import { inspect } from 'node:util';
import type { ErrorRequestHandler } from 'express';
import {
  KIKET_ERRORS,
  KiketError,
  kiketHandler,
  MissingSecretError,
  NonRetryableError,
  PayloadError,
  RetryableError,
  ScopeError,
  SignatureError,
  type KiketErrorCode,
  type KiketErrorOptions,
} from 'kiket-express';
import { deliver } from '../support/deliver';
import { describeMajors, describeNewest } from '../support/express';
import { observed, pathsToHandler } from '../support/refusals';

/** Classes of the package in a second copy, as another version in the same tree would load it. */
function secondCopy(): typeof import('../../lib/errors') {
  let copy!: typeof import('../../lib/errors');
  jest.isolateModules(() => {
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    copy = require('../../lib/errors') as typeof copy;
  });
  return copy;
}

/** Status and retryability of each code, by the rules of the platform. */
const table: Record<KiketErrorCode, [status: number, retryable: boolean]> = {
  'signature.missing': [401, false],
  'signature.malformed': [401, false],
  'signature.mismatch': [401, false],
  'signature.stale': [401, false],
  'signature.scheme_refused': [401, false],
  'signature.secret_unknown': [401, false],
  'signature.secret_unavailable': [503, true],
  'token.invalid': [401, false],
  'token.keys_unavailable': [503, true],
  'body.already_parsed': [500, true],
  'body.too_large': [413, false],
  'body.encoding_unsupported': [415, false],
  'body.aborted': [503, true],
  'body.length_mismatch': [400, false],
  'payload.malformed': [400, false],
  'payload.invalid': [422, false],
  'delivery.conflict': [400, false],
  'delivery.unverified': [401, false],
  'delivery.in_progress': [503, true],
  'secret.missing': [422, false],
  'scope.missing': [403, false],
  'event.unhandled': [404, false],
  'reply.missing': [500, true],
  'reply.invalid': [500, true],
  'deadline.exceeded': [503, true],
  'store.unavailable': [503, true],
  'guard.not_deferrable': [500, true],
  'wiring.missing': [500, true],
  'api.rate_limited': [429, true],
  'api.unavailable': [503, true],
  'api.refused': [422, false],
  'api.not_configured': [500, true],
  'api.target_refused': [500, true],
  'handler.retryable': [503, true],
  'handler.final': [422, false],
  'handler.failed': [500, true],
};

describe('KIKET_ERRORS', () => {
  it('should have these codes and no others', () => {
    expect(Object.keys(KIKET_ERRORS).sort()).toEqual(Object.keys(table).sort());
  });

  it.each(Object.entries(table))('should decide by %s: %j', (code, [status, retryable]) => {
    const error = KiketError.of(code as KiketErrorCode, 'message');
    expect(error).toMatchObject({ code, status, statusCode: status, expose: true, message: 'message' });
    expect([error.retryable, error.headers, error.details]).toEqual([retryable, {}, []]);
  });
});

describe('RetryableError', () => {
  it('should be 503 handler.retryable', () => {
    const error = new RetryableError('Later');
    expect(error).toBeInstanceOf(KiketError);
    expect(error).toMatchObject({ name: 'RetryableError', code: 'handler.retryable', status: 503, retryable: true });
    expect([error.retryAfterSeconds, error.headers]).toEqual([undefined, {}]);
  });

  it.each([
    [0, '0'],
    [1, '1'],
    [30, '30'],
    [0.2, '1'],
    [30.5, '31'],
    [86_400, '86400'],
  ])('should ask for another attempt after %d s', (retryAfterSeconds, header) => {
    const error = new RetryableError('Later', { retryAfterSeconds });
    expect(error.headers).toEqual({ 'Retry-After': header });
    expect(error.retryAfterSeconds).toBe(Number(header));
  });

  it.each([-1, Number.NaN, Infinity, -Infinity, 1e300])('should throw a TypeError for %d s', (retryAfterSeconds) => {
    expect(() => new RetryableError('Later', { retryAfterSeconds })).toThrow(TypeError);
  });

  it.each<[string, unknown]>([
    ['a string', '30'],
    ['a date', new Date()],
    ['null', null],
    ['a boolean', true],
    ['an array', [30]],
  ])('should throw a TypeError for %s', (_name, retryAfterSeconds) => {
    expect(() => new RetryableError('Later', { retryAfterSeconds: retryAfterSeconds as number })).toThrow(TypeError);
  });
});

describe('NonRetryableError', () => {
  it('should be 422 handler.final', () => {
    const error = new NonRetryableError('Never');
    expect(error).toBeInstanceOf(KiketError);
    expect(error).toMatchObject({ name: 'NonRetryableError', code: 'handler.final', status: 422, retryable: false });
  });

  it('should not be retryable', () => {
    // @ts-expect-error the option does not exist
    const error = new NonRetryableError('Never', { retryAfterSeconds: 30 });
    expect([error.retryAfterSeconds, error.headers]).toEqual([undefined, {}]);
  });
});

describe.each([
  ['RetryableError', (options: KiketErrorOptions) => new RetryableError('m', options), 503],
  ['NonRetryableError', (options: KiketErrorOptions) => new NonRetryableError('m', options), 422],
] as const)('the options of %s', (_name, make, status) => {
  it.each(['crm.contact_unknown', 'handler.failed', 'signature.mismatch', 'toString', '__proto__'])(
    'should not change the status by the code %s',
    (code) => {
      expect(make({ code })).toMatchObject({ code, status, statusCode: status });
    },
  );

  it('should keep cause and details', () => {
    const cause = new Error('cause');
    const details = [{ reason: 'why', pointer: '/issue' }];
    const error = make({ cause, details });
    expect([error.cause, error.details]).toEqual([cause, details]);
    details.pop();
    expect(error.details).toHaveLength(1);
  });

  it('should have a cause only when one is given', () => {
    expect('cause' in make({})).toBe(false);
    expect('cause' in make({ cause: undefined })).toBe(true);
  });
});

describe('classes of the package', () => {
  it.each([
    ['SignatureError', SignatureError.of('signature.stale', 'm'), SignatureError],
    ['PayloadError', PayloadError.of('delivery.conflict', 'm'), PayloadError],
    ['ScopeError', ScopeError.of('scope.missing', 'm'), ScopeError],
    ['MissingSecretError', MissingSecretError.of('secret.missing', 'm'), MissingSecretError],
  ])('%s should be distinguishable by instanceof, name and stack', (name, error, constructor) => {
    expect(error).toBeInstanceOf(constructor);
    expect(error).toBeInstanceOf(KiketError);
    expect(error).toBeInstanceOf(Error);
    expect(error.name).toBe(name);
    expect(error.stack).toContain(__filename);
    expect(inspect(error)).toContain(name);
  });

  it('should name what is missing', () => {
    const details = [{ reason: 'a', missing: ['x', 'y'] }, { reason: 'b' }, { reason: 'c', missing: ['z'] }];
    expect(ScopeError.of('scope.missing', 'm', { details }).missing).toEqual(['x', 'y', 'z']);
    expect(MissingSecretError.of('secret.missing', 'm').missing).toEqual([]);
  });

  it('should have a read-only retryable', () => {
    const error = new RetryableError('Later');
    // @ts-expect-error it follows from the status
    expect(() => (error.retryable = false)).toThrow(TypeError);
  });

  it('should be 500 for a code that is not in the table, on a subclass of a user', () => {
    class OwnError extends KiketError {
      constructor(code: string) {
        super(code, 'own');
      }
    }
    for (const code of ['crm.unknown', 'toString', '__proto__', 'constructor'])
      expect(new OwnError(code)).toMatchObject({ code, status: 500, retryable: true });
    expect(new OwnError('scope.missing')).toMatchObject({ status: 403, retryable: false });
  });

  it('should give a subclass of a user the status of its class', () => {
    class Unreachable extends RetryableError {}
    expect(new Unreachable('CRM', { code: 'crm.unreachable' })).toMatchObject({ code: 'crm.unreachable', status: 503 });
  });
});

describe('KiketError.is', () => {
  const copy = secondCopy();
  const foreign = new copy.RetryableError('Later', { retryAfterSeconds: 5 });

  it('should be true for errors of this copy of the package and of another', () => {
    expect(KiketError.is(new RetryableError('Later'))).toBe(true);
    expect(foreign).not.toBeInstanceOf(KiketError);
    expect(KiketError.is(foreign)).toBe(true);
    expect(copy.KiketError.is(new NonRetryableError('Never'))).toBe(true);
  });

  it.each<[string, unknown]>([
    ['an Error', new Error('x')],
    ['a TypeError', new TypeError('x')],
    ['an object of the same fields', { code: 'handler.final', status: 422, message: 'm', details: [] }],
    ['a copy of the fields', { ...new RetryableError('x') }],
    ['what JSON makes of one', JSON.parse(JSON.stringify(new RetryableError('x')))],
    ['a string', 'handler.final'],
    ['null', null],
    ['undefined', undefined],
    ['a number', 503],
    ['a function', () => undefined],
    ['the class', RetryableError],
  ])('should be false for %s', (_name, value) => {
    expect(KiketError.is(value)).toBe(false);
  });
});

describeNewest('errors of others', (express) => {
  it('should be sent like our own when another copy of the package has made them', async () => {
    const copy = secondCopy();
    const { app } = observed(express, pathsToHandler['kiket()']!({}), () => {
      throw new copy.RetryableError('Later', { code: 'crm.busy', retryAfterSeconds: 5 });
    });
    const response = await deliver(app).expect(503).expect('Retry-After', '5');
    expect(response.body).toMatchObject({ error: { code: 'crm.busy', message: 'Later', retryable: true } });
  });

  const unreadable = ['Infinity', '1e300', '-5', 'Wed, 21 Oct 2026 07:28:00 GMT', '', null, ['5', '6']];
  it.each(unreadable)('should omit the Retry-After of an exposed error when it is %j', async (value) => {
    const error = Object.assign(new Error('Busy'), { expose: true, status: 503, headers: { 'retry-after': value } });
    const plain = () => {
      throw error;
    };
    for (const handler of [plain, kiketHandler(() => Promise.reject(error))]) {
      const { app } = observed(express, pathsToHandler['kiket()']!({ deadlineMs: 1000 }), handler);
      const response = await deliver(app).expect(503);
      expect(response.body).toMatchObject({ error: { code: 'handler.failed', message: 'Busy', retryable: true } });
      expect(response.headers['retry-after']).toBeUndefined();
    }
  });

  it.each([
    ['7', '7'],
    ['3601', '3600'],
    ['9'.repeat(400), '3600'],
  ])('should send the Retry-After of an exposed error, up to an hour: %s', async (given, told) => {
    const { app } = observed(express, pathsToHandler['kiket()']!({}), () => {
      throw Object.assign(new Error('Busy'), { expose: true, status: 429, headers: { 'Retry-After': given } });
    });
    await deliver(app).expect(429).expect('Retry-After', told);
  });
});

describeMajors('errors of this package', (express) => {
  it('should keep their status with an error handler that only reads statusCode and headers', async () => {
    const app = express();
    const reply: ErrorRequestHandler = (error: KiketError, _req, res, _next) => {
      res.status(error.statusCode).set(error.headers).send(error.message);
    };
    app.post('/kiket', ...pathsToHandler['kiket()']!({}), () => {
      throw new RetryableError('Later', { retryAfterSeconds: 5 });
    });
    app.use(reply);
    await deliver(app).expect(503, 'Later').expect('Retry-After', '5');
  });
});
