import { parseObject } from '../../../lib/delivery/parse-payload';
import { PayloadError } from '../../../lib/errors';

const canary = 'canary of the payload';

/** Spaces between the tokens, so that the body has the size from which it is decoded in another way. */
const padded = (text: string): Buffer => Buffer.concat([Buffer.from(text), Buffer.alloc(2 ** 17, ' ')]);
const bytes = (...parts: (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => Buffer.from(part as string)));
const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);

describe('parseObject', () => {
  it.each<[string, string | Buffer]>([
    ['nothing', ''],
    ['white space', ' \r\n'],
    ['null', 'null'],
    ['a string', `"${canary}"`],
    ['a number', '42'],
    ['true', 'true'],
    ['an array', `["${canary}"]`],
    ['truncated JSON', `{"event":"${canary}"`],
    ['JSON cut in an escape', `{"event":"${canary}\\u00`],
    ['two values', '{"event":"a"}{"event":"b"}'],
    ['a trailing comma', '{"event":"a",}'],
    ['single quotes', "{'event':'a'}"],
    ['a comment', '{"event":"a" /* b */}'],
    ['NaN', '{"event":"a","metrics":{"x":NaN}}'],
    ['a line break in a string', '{"event":"a\n"}'],
    ['a form', 'event=issue.created'],
    ['a byte that begins no character', bytes('{"event":"a', [0xff], '"}')],
    ['a character without its last byte', bytes('{"event":"a', [0xe2, 0x82], '"}')],
    ['an overlong character', bytes('{"event":"a', [0xc0, 0xaf], '"}')],
    ['a surrogate in UTF-8', bytes('{"event":"a', [0xed, 0xa0, 0x80], '"}')],
    ['invalid UTF-8 in a big body', Buffer.concat([padded('{"event":"a"'), bytes([0xff], '}')])],
    ['Latin-1', Buffer.from('{"event":"é"}', 'latin1')],
    ['UTF-16', Buffer.from('\ufeff{"event":"a"}', 'utf16le')],
    ['two byte order marks', '\ufeff\ufeff{"event":"a"}'],
    ['20,000 nested arrays', nested(20_000)],
    ['20,000 arrays that do not end', '['.repeat(20_000)],
    ['20,000 objects that do not end', '{"a":'.repeat(20_000)],
  ])('should return payload.malformed, without a value of it, for %s', (_name, body) => {
    const error = parseObject(Buffer.from(body as string));
    expect(error).toBeInstanceOf(PayloadError);
    expect(error).toMatchObject({ code: 'payload.malformed', status: 400, details: [] });
    expect((error as PayloadError).message).not.toContain(canary);
  });

  it.each<[string, string | Buffer]>([
    ['is empty', ''],
    ['is not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['is not JSON', '{'],
    ['is JSON, but not an object', '[]'],
  ])('should name the reason: %s', (reason, body) => {
    const message = `The body ${reason}. A delivery is a JSON object in UTF-8.`;
    expect(parseObject(Buffer.from(body as string))).toMatchObject({ message });
  });

  it.each<[string, string | Buffer, object]>([
    ['a byte order mark', '\ufeff{"event":"a"}', { event: 'a' }],
    ['white space around it', '\r\n\t {"event":"a"} \n', { event: 'a' }],
    ['line breaks', '{\r\n  "event": "a"\r\n}\r\n', { event: 'a' }],
    ['escapes', '{"\\u0065vent":"\\u0061"}', { event: 'a' }],
    ['a key twice, of which the last counts', '{"event":"b","event":"a"}', { event: 'a' }],
    ['a big body', Buffer.concat([padded('{"text":"é✓😀"'), bytes('}')]), { text: 'é✓😀' }],
    ['a lone surrogate in an escape', '{"text":"\\ud800"}', { text: '\ud800' }],
    ['fields of any name', '{"toJSON":1,"toString":2,"comment":[null]}', { toJSON: 1, toString: 2, comment: [null] }],
  ])('should return the object of %s', (_name, body, expected) => {
    expect(parseObject(Buffer.from(body as string))).toEqual(expected);
  });

  it('should return an object with 20,000 nested arrays', () => {
    expect(parseObject(Buffer.from(`{"deep":${nested(20_000)}}`))).toHaveProperty('deep');
  });

  it.each([
    '{"event":"a","__proto__":{"polluted":true}}',
    '{"event":"a","\\u005f_proto__":{"polluted":true}}',
    '{"event":"a","constructor":{"prototype":{"polluted":true}}}',
    '{"event":"a","\\u0063onstructor":{"prototype":{"polluted":true}}}',
    '{"event":"a","issue":{"__proto__":{"polluted":true}}}',
    '{"event":"a","issue":{"list":[{"constructor":{"prototype":{"polluted":true}}}]}}',
    '{"event":"a","secrets":{"__proto__":"polluted"},"authentication":{"__proto__":{"polluted":true}}}',
  ])('should remove members that could pollute a prototype from %s', (body) => {
    const payload = parseObject(Buffer.from(body));
    expect(payload).not.toBeInstanceOf(PayloadError);
    expect(JSON.stringify(payload)).not.toMatch(/__proto__|constructor|polluted/);
    expect(Object.assign({}, payload, (payload as { issue?: object }).issue)).not.toHaveProperty('polluted');
  });

  it('should return an object without the fields of a __proto__ that holds all of them', () => {
    expect(parseObject(Buffer.from('{"__proto__":{"event":"a"}}'))).toEqual({});
  });
});
