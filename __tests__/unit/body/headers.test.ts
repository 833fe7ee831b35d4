import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { expectedLength, encodingError } from '../../../lib/body/headers';

/** A request with one header, which adapters may pass as an array. */
function requestWith(name: string, value: unknown): IncomingMessage {
  const req = new IncomingMessage(new Socket());
  (req.headers as Record<string, unknown>)[name] = value;
  return req;
}

describe('encodingError for Content-Encoding', () => {
  const compressed = ['gzip', 'GZIP', 'x-gzip', 'deflate', 'br', 'zstd', 'compress', 'x-compress'];

  it.each([...compressed, 'identity, gzip', ' br ', ['gzip'], ['identity', 'gzip']])(
    'should call the body compressed when it is %j',
    (value) => {
      expect(encodingError(requestWith('content-encoding', value))).toMatchObject({
        code: 'body.encoding_unsupported',
        status: 415,
        message: expect.stringContaining('The body is compressed') as string,
      });
    },
  );

  it.each(['made-up', 'utf-16', 'aes128gcm', 'identity;q=1', 'x-identity', 'constructor', ['made-up']])(
    'should refuse %j without calling it compressed',
    (value) => {
      const error = encodingError(requestWith('content-encoding', value));
      expect(error).toMatchObject({ code: 'body.encoding_unsupported', status: 415 });
      expect(error?.message).not.toMatch(/compressed/);
    },
  );

  it.each([
    undefined,
    '',
    'identity',
    'Identity',
    'utf-8',
    'UTF8',
    'none',
    'binary',
    '7bit',
    '8bit',
    'identity, identity',
    ' utf-8 ,, 8bit ',
    [],
    ['identity'],
    ['identity', 'none'],
  ])('should accept %j', (value) => {
    expect(encodingError(requestWith('content-encoding', value))).toBeUndefined();
  });
});

describe('encodingError for the charset of Content-Type', () => {
  it.each([
    'application/json; charset=utf-7',
    'application/json;charset=UTF-16',
    'application/json; charset="utf-7"',
    'application/json; charset="utf\\-7"',
    'application/json; charset = latin1',
    'application/json; CHARSET=iso-8859-1',
    'application/json; charset=us-ascii',
    'application/json; charset=',
    'application/json; charset',
    'application/json; charset=utf-8; charset=utf-7',
    'application/json; charset=utf-7; charset=utf-8',
    'application/json; charset=utf-8, text/plain; charset=utf-7',
    'application/json; charset=utf-8 utf-7',
    'application/json; charset=utf-8x',
    'application/json; charset="utf-8',
    "application/json; charset*=utf-8''utf-7",
    'application/json; charset*0=utf; charset*1="-7"',
    'application/json; x="; charset=utf-7"',
    'charset=utf-7',
    ['application/json; charset=utf-7'],
    ['application/json', 'application/json; charset=utf-7'],
  ])('should refuse %j', (value) => {
    expect(encodingError(requestWith('content-type', value))).toMatchObject({
      code: 'body.encoding_unsupported',
      status: 415,
      message: expect.stringContaining('Content-Type names another charset than UTF-8') as string,
    });
  });

  it.each([
    undefined,
    '',
    'nonsense',
    'application/json',
    'application/json; version=2',
    'application/json; charset=utf-8',
    'application/json;charset=UTF-8',
    'application/json; Charset="Utf-8"',
    'application/json; charset = utf8 ; version=2',
    'application/json; charset=utf-8; charset=utf-8',
    ['application/json; charset=utf-8'],
    [],
  ])('should accept %j', (value) => {
    expect(encodingError(requestWith('content-type', value))).toBeUndefined();
  });
});

describe('expectedLength', () => {
  it.each<[unknown, number | undefined]>([
    [undefined, undefined],
    ['0', 0],
    ['12', 12],
    [['12'], 12],
    [['12', '13'], Number.NaN],
    ['much', Number.NaN],
  ])('should read %j as %s', (value, expected) => {
    expect(expectedLength(requestWith('content-length', value))).toBe(expected);
  });
});
