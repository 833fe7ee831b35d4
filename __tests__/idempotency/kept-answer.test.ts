import { keep, readRecord, writeBinding, type KeptAnswer } from '../../lib/idempotency/kept-answer';
import type { Outcome } from '../../lib/settlement';

const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  status: 200,
  headers: {},
  body: '{}',
  code: undefined,
  ...changes,
});
const keeps = (changes?: Partial<Outcome>, before = {}, isOfGuard = false): string | undefined =>
  keep(outcome(changes), before, isOfGuard, (...texts) => texts.some((text) => text.includes('canary')));

const readAnswer = (record: string): KeptAnswer => readRecord(record) as KeptAnswer;

describe('a binding', () => {
  it('should be read as it was written, and be told from an answer', () => {
    expect(readRecord(writeBinding('{payload}:delivery:"canary"'))).toEqual({ boundTo: '{payload}:delivery:"canary"' });
    expect(readRecord(keeps({ body: writeBinding('a delivery') })!)).not.toHaveProperty('boundTo');
  });
});

describe('a kept answer', () => {
  it.each<[string, string | Buffer]>([
    ['a text', 'é "\\ \u2028 \n 🚀'],
    ['half a character', '\ud800'],
    ['bytes', Buffer.from([0, 255, 128])],
    ['nothing', ''],
    ['no bytes', Buffer.alloc(0)],
  ])('should be read as it was written: %s', (_name, body) => {
    const headers = { 'x-own': 'a', link: ['b', 'c'], 'x-number': 7 };
    expect(readRecord(keeps({ status: 203, headers, body })!)).toEqual({
      status: 203,
      headers,
      body,
      isOfGuard: false,
    });
  });

  it.each([200, 204, 299, 300, 304, 399, 400, 404, 422, 428, 430, 499])('should be one of status %d', (status) => {
    expect(readAnswer(keeps({ status })!).status).toBe(status);
  });

  it.each([NaN, 0, 42, 99, 100, 101, 199, 200.5, 429, 500, 503, 599, 600, 999, 9999])(
    'should be none of status %d',
    (status) => {
      expect(keeps({ status })).toBeUndefined();
    },
  );

  it.each(['secret.missing', 'scope.missing', 'event.unhandled'])(
    'should be none of %s, unless the answer is a success',
    (code) => {
      expect(keeps({ status: 422, code })).toBeUndefined();
      expect(keeps({ status: 302, code })).toBeUndefined();
      expect(keeps({ status: 200, code })).toBeDefined();
      expect(keeps({ status: 422, code: 'handler.final' })).toBeDefined();
    },
  );

  it('should have those headers only that came from the handler and are not of one answer', () => {
    const list = ['a', 'b'];
    const headers = {
      'x-before': 'a',
      'x-list': list,
      'x-changed': 'b',
      'x-new': 'c',
      'x-removed': undefined,
      connection: 'close',
      'content-length': 2,
      date: 'now',
      'keep-alive': 'timeout=5',
      'set-cookie': ['a=b'],
      trailer: 'x',
      'transfer-encoding': 'chunked',
    };
    const record = keeps({ headers }, { 'x-before': 'a', 'x-changed': 'a', 'x-list': list });
    expect(readAnswer(record!).headers).toEqual({ 'x-changed': 'b', 'x-new': 'c' });
  });

  it.each<[string, Partial<Outcome>]>([
    ['too large', { body: undefined }],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }],
    ['quoting a secret', { body: 'It is canary.' }],
    ['quoting a secret in bytes', { body: Buffer.from('It is canary.') }],
    ['quoting a secret in a header', { headers: { 'x-own': 'canary' } }],
    ['quoting a secret in the name of a header', { headers: { 'x-canary': 'yes' } }],
    ['quoting a secret in one of several values', { headers: { 'x-own': ['a', 'canary'] } }],
  ])('should have its status only where it is %s; and of a guard, be none unless it is an error', (_name, changes) => {
    const bare = { headers: {}, body: '' };
    expect(readRecord(keeps({ status: 201, ...changes })!)).toEqual({ status: 201, ...bare, isOfGuard: false });
    expect(keeps({ status: 201, ...changes }, {}, true)).toBeUndefined();
    expect(readRecord(keeps({ status: 422, ...changes }, {}, true)!)).toEqual({
      status: 422,
      ...bare,
      isOfGuard: true,
    });
  });

  it('should not mind an encoding that was said before the handler', () => {
    const headers = { 'content-encoding': 'identity' };
    expect(readRecord(keeps({ headers, body: 'text' }, headers)!)).toMatchObject({ headers: {}, body: 'text' });
  });

  it('should be none of a guard that is pending, in whatever form it says so', () => {
    for (const body of ['{"status":"pending"}', Buffer.from('{"status":"pending"}')]) {
      expect(keeps({ body }, {}, true)).toBeUndefined();
      expect(keeps({ body }, {}, false)).toBeDefined();
      expect(keeps({ body, status: 422 }, {}, true)).toBeDefined();
    }
    for (const body of ['{"status":"allow"}', Buffer.from('{"status":"deny"}'), '', 'text'])
      expect(keeps({ body }, {}, true)).toBeDefined();
  });

  it('should not be quoted by the error for a text that is none', () => {
    for (const text of ['canary {', '{"canary":1}', '"canary"']) {
      expect(() => readRecord(text)).toThrow(new Error('The store holds a record that this package has not written'));
    }
  });
});
