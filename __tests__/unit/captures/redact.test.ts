import type { Capture } from '../../../lib/captures/capture';
import { replaceValues } from '../../../lib/captures/json-values';
import { redactCapture } from '../../../lib/captures/redact';

const capture = (body: string | Buffer, change: Partial<Capture> = {}): Capture => ({
  method: 'POST',
  url: '/kiket',
  headers: [],
  body: Buffer.from(body),
  ...change,
});

describe('redactCapture', () => {
  it.each([
    [
      'the runtime token',
      '{"authentication":{"runtime_token":"abc"}}',
      '{"authentication":{"runtime_token":"[redacted]"}}',
    ],
    [
      'secrets of any length',
      '{"secrets":{"A":"x","B":"long-value"}}',
      '{"secrets":{"A":"[redacted]","B":"[redacted]"}}',
    ],
    ['secrets that are numbers', '{"secrets":{"PIN":1234}}', '{"secrets":{"PIN":"[redacted]"}}'],
    ['secrets within others', '{"secrets":{"A":{"b":["x"]}}}', '{"secrets":{"A":{"b":["[redacted]"]}}}'],
    ['secrets of an escaped key', '{"secret\\u0073":{"A":"x"}}', '{"secret\\u0073":{"A":"[redacted]"}}'],
    ['secrets with quotes', '{"secrets":{"A":"a\\"b"}}', '{"secrets":{"A":"[redacted]"}}'],
    [
      'a secret where else it stands',
      '{"secrets":{"A":"long-value"},"x":"a long-value"}',
      '{"secrets":{"A":"[redacted]"},"x":"a [redacted]"}',
    ],
    [
      'a secret that is not ASCII',
      '{"secrets":{"A":"pässwörd"},"x":"pässwörd"}',
      '{"secrets":{"A":"[redacted]"},"x":"[redacted]"}',
    ],
    ['a secret that is cut', '{"secrets":{"A":"long-val', '{"secrets":{"A":"[redacted]"'],
  ])('should remove %s', (_, body, expected) => {
    const redacted = redactCapture(capture(body));
    expect(redacted.body.toString()).toBe(expected);
    expect(redacted.isRedacted).toBe(true);
  });

  it.each([
    ['a string', `"${'x'.repeat(9_000_000)}"`],
    ['a string of escapes', `"${'\\"'.repeat(4_000_000)}"`],
    ['a string that is cut', `"${'x'.repeat(9_000_000)}`],
    ['a number', '9'.repeat(9_000_000)],
  ])('should remove secrets beside %s of 9 MB', (_, value) => {
    const redacted = redactCapture(capture(`{"secrets":{"A":"long-value"},"x":${value}`));
    expect(redacted.body.equals(Buffer.from(`{"secrets":{"A":"[redacted]"},"x":${value}`))).toBe(true);
  });

  it('should keep all other bytes', () => {
    const rest =
      '\r\n , "n" : 9007199254740993, "e":1.0e3 , "é" : "\\u00e9" ,"secrets2":{"A":"x"}, "list":["runtime_token"] }\n';
    const body = Buffer.concat([
      Buffer.from('\uFEFF{ "secrets" : { "A" : "x" }'),
      Buffer.from(rest),
      Buffer.from([0xe9]),
    ]);
    const expected = Buffer.concat([
      Buffer.from('\uFEFF{ "secrets" : { "A" : "[redacted]" }'),
      Buffer.from(rest),
      Buffer.from([0xe9]),
    ]);
    expect(redactCapture(capture(body)).body.equals(expected)).toBe(true);
  });

  it.each([
    ['{"event":"issue.created"}'],
    ['{"authentication":{"runtime_token":null},"secrets":{}}'],
    ['{"data":{"secrets":{"A":"x"}}}'],
    ['not JSON'],
    [''],
  ])('should leave a capture without secrets as it is: %s', (body) => {
    const original = capture(body);
    expect(redactCapture(original)).toEqual(original);
  });

  it('should remove credentials from headers, and secrets from the URL, the headers and the response', () => {
    const redacted = redactCapture(
      capture('{"secrets":{"A":"long-value"}}', {
        url: '/kiket?key=long-value',
        headers: [
          ['authorization', 'Bearer abc'],
          ['X-Copy', 'long-value'],
        ],
        response: { status: 200, headers: [['Set-Cookie', 'a=1']], body: Buffer.from('{"echo":"long-value"}') },
      }),
    );
    expect(redacted).toMatchObject({
      url: '/kiket?key=[redacted]',
      headers: [
        ['authorization', '[redacted]'],
        ['X-Copy', '[redacted]'],
      ],
      response: { headers: [['Set-Cookie', '[redacted]']], body: Buffer.from('{"echo":"[redacted]"}') },
    });
  });

  it('should not keep a compressed body, which may hold secrets', () => {
    const redacted = redactCapture(capture('bytes', { headers: [['Content-Encoding', 'gzip']] }));
    expect(redacted).toMatchObject({ body: Buffer.from('[redacted]'), isRedacted: true });
  });

  it('should not mark a request of which only the response had a secret', () => {
    const response = { status: 200, headers: [['Set-Cookie', 'a=1']] as const, body: Buffer.alloc(0) };
    expect(redactCapture(capture('{}', { response }))).not.toHaveProperty('isRedacted');
  });
});

describe('replaceValues', () => {
  it('should name the path of each value', () => {
    const seen: string[] = [];
    replaceValues(Buffer.from('{"a":[1,{"b":true},"x"],"c":{"d":{"e":null}},"f":"g"}'), ({ path, depth, value }) => {
      seen.push(`${path.join('.')} ${depth} ${value}`);
      return undefined;
    });
    expect(seen).toEqual(['a.0 2 1', 'a.1 3 true', 'a.2 2 x', 'c.d 3 null', 'f. 1 g']);
  });

  it('should read a body of 10,000 levels', () => {
    const body = Buffer.from(`${'['.repeat(10_000)}1${']'.repeat(10_000)}`);
    expect(replaceValues(body, () => '2').toString()).toBe(body.toString().replace('1', '2'));
  });
});
