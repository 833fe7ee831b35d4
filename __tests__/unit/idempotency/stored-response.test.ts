import { keep, readRecord, writeBinding, type RecordedResponse } from '../../../lib/idempotency/stored-response';
import type { Outcome } from '../../../lib/response/handler-outcome';

const outcome = (changes: Partial<Outcome> = {}): Outcome => ({
  status: 200,
  headers: {},
  body: '{}',
  code: undefined,
  ...changes,
});
const keeps = (changes?: Partial<Outcome>, before = {}, isOfGuard = false): string | undefined =>
  keep(outcome(changes), before, isOfGuard, (...texts) => texts.some((text) => text.includes('canary')));

const readAnswer = (record: string): RecordedResponse => readRecord(record) as RecordedResponse;

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
    ['bytes', Buffer.from('\ufeffé')],
    ['nothing', ''],
    ['no bytes', Buffer.alloc(0)],
  ])('should be read as it was written: %s', (_name, written) => {
    const body = String(written);
    const headers = { 'x-own': 'a', link: ['b', 'c'], 'x-number': 7 };
    expect(readRecord(keeps({ status: 203, headers, body: written })!)).toEqual({
      status: 203,
      headers,
      body,
      isOfGuard: false,
    });
  });

  it('should be read as earlier versions have written bytes', () => {
    const record = { status: 200, headers: {}, base64: Buffer.from([0, 255]).toString('base64') };
    expect(readAnswer(JSON.stringify(record)).body).toEqual(Buffer.from([0, 255]));
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
    ['in another charset', { headers: { 'content-type': 'text/plain; charset="iso-8859-1"' } }],
    ['in one of several charsets', { headers: { 'content-type': ['text/plain; Charset = UTF-16', 'text/html'] } }],
    ['not UTF-8', { body: Buffer.from('é', 'latin1') }],
    ['UTF-16 in bytes', { body: Buffer.from('canary', 'utf16le') }],
    ['UTF-16 in a text', { body: 'c\0a\0n\0a\0r\0y\0' }],
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

  it.each(['application/json; charset=utf-8', 'text/plain;charset="UTF8"', 'text/plain', ''])(
    "should be whole in UTF-8: '%s'",
    (type) => {
      const headers = { 'content-type': type };
      expect(readRecord(keeps({ headers, body: Buffer.from('é') })!)).toMatchObject({ headers, body: 'é' });
    },
  );

  it('should heed a charset that was said before the handler', () => {
    const headers = { 'content-type': 'text/plain; charset=latin1' };
    expect(readAnswer(keeps({ headers, body: 'text' }, headers)!).body).toBe('');
  });

  it.each<[number, string | Buffer, boolean]>([
    [200, '{"status":"allow"}', true],
    [200, '{"status":"deny"}', true],
    [299, Buffer.from('{"status":"deny"}'), true],
    [200, '', false],
    [200, 'text', false],
    [200, '{}', false],
    [200, '{"status":"ok"}', false],
    [200, '{"status":"pending"}', false],
    [204, '', false],
    [204, '{"status":"allow"}', false],
    [205, '{"status":"allow"}', false],
    [422, '', true],
    [304, '', true],
  ])('should be of a guard only where a success has its decision: %d %s', (status, body, isKept) => {
    expect(keeps({ status, body }, {}, true) !== undefined).toBe(isKept);
    const records = [
      { status, headers: {}, isOfGuard: true, body: String(body) },
      { status, headers: {}, isOfGuard: true, base64: Buffer.from(body).toString('base64') },
    ];
    for (const record of records) expect(readAnswer(JSON.stringify(record)).isOfGuard).toBe(isKept);
  });

  it('should be none of a guard that is pending, in whatever form it says so', () => {
    for (const body of ['{"status":"pending"}', Buffer.from('{"status":"pending"}')]) {
      expect(keeps({ body }, {}, true)).toBeUndefined();
      expect(keeps({ body }, {}, false)).toBeDefined();
      expect(keeps({ body, status: 422 }, {}, true)).toBeDefined();
    }
  });

  it('should not be quoted by the error for a text that is none', () => {
    for (const text of ['canary {', '{"canary":1}', '"canary"']) {
      expect(() => readRecord(text)).toThrow(new Error('The store holds a record that this package has not written'));
    }
  });
});
