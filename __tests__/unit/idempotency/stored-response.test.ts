import {
  parseRecord,
  serializeBinding,
  serializeOutcome,
  type StoredOutcome,
} from '../../../lib/idempotency/stored-response';
import type { HandlerOutcome } from '../../../lib/response/handler-outcome';

const outcome = (changes: Partial<HandlerOutcome> = {}): HandlerOutcome => ({
  status: 200,
  headers: {},
  body: '{}',
  code: undefined,
  ...changes,
});
const serialize = (changes?: Partial<HandlerOutcome>, before = {}, isOfGuard = false): string | undefined =>
  serializeOutcome(outcome(changes), before, isOfGuard, (...texts) => texts.some((text) => text.includes('canary')));

const parseOutcome = (record: string): StoredOutcome => parseRecord(record) as StoredOutcome;

describe('a binding', () => {
  it('should be parsed as it was serialized, and differ from a response', () => {
    expect(parseRecord(serializeBinding('{payload}:delivery:"canary"'))).toEqual({
      boundTo: '{payload}:delivery:"canary"',
    });
    expect(parseRecord(serialize({ body: serializeBinding('a delivery') })!)).not.toHaveProperty('boundTo');
  });
});

describe('a stored response', () => {
  it.each<[string, string | Buffer]>([
    ['a string', 'é "\\ \u2028 \n 🚀'],
    ['half a character', '\ud800'],
    ['bytes', Buffer.from('\ufeffé')],
    ['an empty string', ''],
    ['empty bytes', Buffer.alloc(0)],
  ])('should be parsed as it was serialized: %s', (_name, written) => {
    const body = String(written);
    const headers = { 'x-own': 'a', link: ['b', 'c'], 'x-number': 7 };
    expect(parseRecord(serialize({ status: 203, headers, body: written })!)).toEqual({
      status: 203,
      headers,
      body,
      isOfGuard: false,
    });
  });

  it('should be parsed as versions before 0.5 wrote bytes', () => {
    const record = { status: 200, headers: {}, base64: Buffer.from([0, 255]).toString('base64') };
    expect(parseOutcome(JSON.stringify(record)).body).toEqual(Buffer.from([0, 255]));
  });

  it.each([200, 204, 299, 300, 304, 399, 400, 404, 422, 428, 430, 499])('should exist for status %d', (status) => {
    expect(parseOutcome(serialize({ status })!).status).toBe(status);
  });

  it.each([NaN, 0, 42, 99, 100, 101, 199, 200.5, 429, 500, 503, 599, 600, 999, 9999])(
    'should not exist for status %d',
    (status) => {
      expect(serialize({ status })).toBeUndefined();
    },
  );

  it.each(['secret.missing', 'scope.missing', 'event.unhandled'])(
    'should not exist for %s, unless the response is a success',
    (code) => {
      expect(serialize({ status: 422, code })).toBeUndefined();
      expect(serialize({ status: 302, code })).toBeUndefined();
      expect(serialize({ status: 200, code })).toBeDefined();
      expect(serialize({ status: 422, code: 'handler.final' })).toBeDefined();
    },
  );

  it('should have only headers that the handler set and that do not belong to one response', () => {
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
    const record = serialize({ headers }, { 'x-before': 'a', 'x-changed': 'a', 'x-list': list });
    expect(parseOutcome(record!).headers).toEqual({ 'x-changed': 'b', 'x-new': 'c' });
  });

  it.each<[string, Partial<HandlerOutcome>]>([
    ['too large', { body: undefined }],
    ['compressed', { headers: { 'content-encoding': 'gzip' } }],
    ['text in another charset', { headers: { 'content-type': 'text/plain; charset="iso-8859-1"' } }],
    ['text in one of several charsets', { headers: { 'content-type': ['text/plain; Charset = UTF-16', 'text/html'] } }],
    ['text in another charset, without a space', { headers: { 'content-type': 'text/plain;charset=utf-16' } }],
    ['text in a charset that begins as UTF-8', { headers: { 'content-type': 'text/plain; charset=utf-8x' } }],
    ['text in a charset that ends as UTF-8', { headers: { 'content-type': 'text/plain; charset=xutf-8' } }],
    ['not UTF-8', { body: Buffer.from('é', 'latin1') }],
    ['UTF-16 in bytes', { body: Buffer.from('canary', 'utf16le') }],
    ['UTF-16 in a string', { body: 'c\0a\0n\0a\0r\0y\0' }],
    ['quoting a secret', { body: 'It is canary.' }],
    ['quoting a secret in bytes', { body: Buffer.from('It is canary.') }],
    ['quoting a secret in a header', { headers: { 'x-own': 'canary' } }],
    ['quoting a secret in the name of a header', { headers: { 'x-canary': 'yes' } }],
    ['quoting a secret in one of several values', { headers: { 'x-own': ['a', 'canary'] } }],
  ])('should be its status only when it is %s, and for a guard event only if it is an error', (_name, changes) => {
    const bare = { headers: {}, body: '' };
    expect(parseRecord(serialize({ status: 201, ...changes })!)).toEqual({ status: 201, ...bare, isOfGuard: false });
    expect(serialize({ status: 201, ...changes }, {}, true)).toBeUndefined();
    expect(parseRecord(serialize({ status: 422, ...changes }, {}, true)!)).toEqual({
      status: 422,
      ...bare,
      isOfGuard: true,
    });
  });

  it('should be whole when Content-Encoding was set before the handler', () => {
    const headers = { 'content-encoding': 'identity' };
    expect(parseRecord(serialize({ headers, body: 'text' }, headers)!)).toMatchObject({ headers: {}, body: 'text' });
  });

  it.each(['application/json; charset=utf-8', 'text/plain;charset="UTF8"', 'text/plain', ''])(
    "should be whole with the type '%s'",
    (type) => {
      const headers = { 'content-type': type };
      expect(parseRecord(serialize({ headers, body: Buffer.from('é') })!)).toMatchObject({ headers, body: 'é' });
    },
  );

  it('should be its status only when another charset was set before the handler', () => {
    const headers = { 'content-type': 'text/plain; charset=latin1' };
    expect(parseOutcome(serialize({ headers, body: 'text' }, headers)!).body).toBe('');
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
  ])('should be for a guard event only if it is not a success without a decision: %d %s', (status, body, isKept) => {
    expect(serialize({ status, body }, {}, true) !== undefined).toBe(isKept);
    const records = [
      { status, headers: {}, isOfGuard: true, body: String(body) },
      { status, headers: {}, isOfGuard: true, base64: Buffer.from(body).toString('base64') },
    ];
    for (const record of records) expect(parseOutcome(JSON.stringify(record)).isOfGuard).toBe(isKept);
  });

  it('should not exist for a pending guard, as a string or as bytes', () => {
    for (const body of ['{"status":"pending"}', Buffer.from('{"status":"pending"}')]) {
      expect(serialize({ body }, {}, true)).toBeUndefined();
      expect(serialize({ body }, {}, false)).toBeDefined();
      expect(serialize({ body, status: 422 }, {}, true)).toBeDefined();
    }
  });

  const ours = { status: 200, headers: { 'x-own': 'a' }, body: '' };

  it.each<[string, string]>([
    ['text', 'canary {'],
    ['another object', '{"canary":1}'],
    ['a string', '"canary"'],
    ['null', 'null'],
    ['an array', '[]'],
    ['a status of 199', JSON.stringify({ ...ours, status: 199 })],
    ['a status of 600', JSON.stringify({ ...ours, status: 600 })],
    ['a status that is a string', JSON.stringify({ ...ours, status: '200' })],
    ['no headers', JSON.stringify({ ...ours, headers: undefined })],
    ['headers that are an array', JSON.stringify({ ...ours, headers: [] })],
    ['the name of a header that is invalid', JSON.stringify({ ...ours, headers: { 'a b': 'canary' } })],
    ['the value of a header that is invalid', JSON.stringify({ ...ours, headers: { a: 'canary\r\nb: c' } })],
    ['no body', JSON.stringify({ ...ours, body: undefined })],
    ['a body that is an object', JSON.stringify({ ...ours, body: {} })],
  ])('should throw an error that does not quote a record of another origin: %s', (_name, record) => {
    expect(() => parseRecord(record)).toThrow(
      new Error('KiketStore.claim() resolved with a record that this package has not written'),
    );
  });

  it('should be parsed with the highest status', () => {
    expect(parseOutcome(JSON.stringify({ ...ours, status: 599 }))).toEqual({ ...ours, status: 599, isOfGuard: false });
  });
});
