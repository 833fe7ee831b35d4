import { KiketError, NonRetryableError } from '../../../lib/errors';
import { redact } from '../../../lib/redaction';
import { errorBody } from '../../../lib/response/error-body';

const SECRET = 'canary_secret';

const bodyOf = (error: KiketError, invocation?: string): { error: Record<string, unknown> } =>
  JSON.parse(errorBody(error, invocation, (text) => redact(text, [SECRET]))) as { error: Record<string, unknown> };
const detailsFrom = (details: unknown): unknown => {
  const error = new NonRetryableError('No');
  Object.defineProperty(error, 'details', { value: details });
  return bodyOf(error).error['details'];
};
const throwing = (name: string): object =>
  Object.defineProperty({ reason: 'a' }, name, {
    enumerable: true,
    get: () => {
      throw new Error(SECRET);
    },
  });
const revoked = (): object => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
};

describe('errorBody', () => {
  it('should contain no secret, except in the invocation, which the sender chooses', () => {
    const text = `It is ${SECRET}.`;
    const code = `crm.${SECRET}`;
    const error = new NonRetryableError(text, {
      code,
      details: [{ reason: text, pointer: text, missing: [SECRET], events: [text] }],
    });
    expect(bodyOf(error, SECRET)).toEqual({
      error: {
        code: 'crm.[redacted]',
        message: 'It is [redacted].',
        retryable: false,
        invocation: SECRET,
        details: [
          {
            reason: 'It is [redacted].',
            pointer: 'It is [redacted].',
            missing: ['[redacted]'],
            events: ['It is [redacted].'],
          },
        ],
      },
    });
  });

  it.each<[string, unknown, unknown[]]>([
    [
      'fields that it does not know',
      [{ reason: 'a', invocation: SECRET, [SECRET]: 1, toJSON: () => SECRET }],
      [{ reason: 'a' }],
    ],
    ['fields of another type', [{ reason: 1, pointer: { SECRET }, missing: SECRET, events: null }], [{}]],
    [
      'members of another type',
      [{ reason: 'a', missing: ['b', 1, { SECRET }, ['c']] }],
      [{ reason: 'a', missing: ['b'] }],
    ],
    ['what is not an object', [SECRET, null, 1, [SECRET], undefined, { reason: 'a' }], [{ reason: 'a' }]],
    ['a detail whose accessor throws', [throwing('pointer'), { reason: 'b' }], [{ reason: 'b' }]],
    ['a detail that cannot be read', [revoked(), { reason: 'b' }], [{ reason: 'b' }]],
    ['a detail that is not JSON', [{ reason: 'a', pointer: 1n, missing: [1n] }], [{ reason: 'a', missing: [] }]],
    ['details that are not a list', { reason: 'a' }, []],
    ['details that cannot be read', revoked(), []],
    ['no details', undefined, []],
  ])('should leave out %s', (_name, details, told) => {
    expect(detailsFrom(details)).toEqual(told);
  });

  it('should read an accessor once', () => {
    let reads = 0;
    const detail = {
      get reason() {
        return reads++ === 0 ? 'a' : SECRET;
      },
    };
    expect(detailsFrom([detail])).toEqual([{ reason: 'a' }]);
  });
});
