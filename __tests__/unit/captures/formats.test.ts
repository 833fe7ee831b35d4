import { readFileSync } from 'node:fs';
import type { Capture } from '../../../lib/captures/capture';
import { CaptureError, parseCaptures, type CaptureFormatName } from '../../../lib/captures/parse';
import { captureLine } from '../../../lib/captures/write';
import { blocksOf } from '../../support/markdown';

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/** The first capture in a text, with its body as text. */
function captured(text: string | Buffer, format?: CaptureFormatName) {
  const [{ body, ...capture } = {} as Capture] = parseCaptures(Buffer.from(text), format);
  return { ...capture, body: body.toString() };
}

function reasonsOf(text: string, format?: CaptureFormatName): Record<string, string> {
  try {
    parseCaptures(Buffer.from(text), format);
  } catch (error) {
    return Object.fromEntries((error as CaptureError).tried.map(({ format: name, reason }) => [name, reason]));
  }
  throw new Error('It is a capture.');
}

describe('JSON lines', () => {
  const capture: Capture = {
    method: 'POST',
    url: '/kiket?version=v1',
    headers: [
      ['x-KIKET-event', 'issue.created'],
      ['X-Twice', 'a'],
      ['X-Twice', 'b'],
    ],
    body: Buffer.from('{ "event": "issue.created" }\r\n'),
    receivedAt: '2026-04-20T12:00:00.000Z',
    response: { status: 200, headers: [['Content-Type', 'application/json']], body: Buffer.from('{"ok":true}') },
  };

  it.each<[string, Partial<Capture>]>([
    ['with a response', {}],
    ['without a response', { response: undefined }],
    ['with an empty body', { body: Buffer.alloc(0) }],
    ['with a byte order mark in the body', { body: Buffer.concat([BOM, Buffer.from('{}')]) }],
    ['with bytes that are not UTF-8', { body: Buffer.from([0x7b, 0xe9, 0x00, 0xff, 0x7d]) }],
    ['that is redacted', { isRedacted: true }],
    ['with 500 KB', { body: Buffer.alloc(500_000, 'é') }],
  ])('should be read as they were written: a capture %s', (_, change) => {
    const { response, ...written } = { ...capture, ...change };
    const expected = response === undefined ? written : { ...written, response };
    expect(parseCaptures(Buffer.from(captureLine(expected)))).toEqual([expected]);
  });

  it('should be as docs/guides/record-and-replay.md says', () => {
    const [block] = blocksOf(readFileSync('docs/guides/record-and-replay.md', 'utf8')).filter(({ code }) =>
      /^\{/.test(code),
    );
    const line = JSON.stringify(JSON.parse(block!.code));
    expect(parseCaptures(Buffer.from(line)).map(captureLine)).toEqual([`${line}\n`]);
  });

  it('should have one line for each capture, in order', () => {
    const lines = ['/1', '/2'].map((url) => captureLine({ ...capture, url })).join('');
    expect(parseCaptures(Buffer.from(`${lines}\n`)).map(({ url }) => url)).toEqual(['/1', '/2']);
    expect(lines.split('\n')).toHaveLength(3);
  });

  it.each([
    ['', 'it is empty'],
    ['{"method":"POST"', 'line 1 is not JSON'],
    ['[]', 'line 1 is not an object'],
    ['{"event":"issue.created"}', 'line 1 has no string "method"'],
    ['{"method":"POST"}', 'line 1 has no string "url"'],
    ['{"method":"POST","url":"/"}', 'line 1: headers is not an array'],
    ['{"method":"POST","url":"/","headers":[["a"]]}', 'line 1: headers must be pairs of a name and a value'],
    ['{"method":"POST","url":"/","headers":[]}', 'line 1 has no string "body"'],
    ['{"method":"POST","url":"/","headers":[],"bodyBase64":"!!!"}', 'line 1: bodyBase64 is not base64'],
    ['{"method":"POST","url":"/","headers":[],"body":"","response":{}}', 'line 1: response has no number "status"'],
    ['{"method":"POST","url":"/","headers":[],"body":""}\n{', 'line 2 is not JSON'],
  ])('should not be %s', (text, reason) => {
    expect(reasonsOf(text, 'jsonl')).toEqual({ jsonl: reason });
  });
});

describe('a raw request', () => {
  const head = 'POST /kiket HTTP/1.1\nHost: localhost\nX-Kiket-Event:issue.created \nx-twice: a\nX-Twice: b\n';

  it.each([
    ['LF', head, '\n'],
    ['CR LF', head.replaceAll('\n', '\r\n'), '\r\n'],
  ])('should be read with %s at the ends of lines', (_, lines, newline) => {
    expect(captured(`${lines}${newline}{"a":1}`)).toEqual({
      method: 'POST',
      url: '/kiket',
      headers: [
        ['Host', 'localhost'],
        ['X-Kiket-Event', 'issue.created'],
        ['x-twice', 'a'],
        ['X-Twice', 'b'],
      ],
      body: '{"a":1}',
    });
  });

  it('should keep an empty line, CR LF and a byte order mark in the body', () => {
    const body = Buffer.concat([BOM, Buffer.from('{\r\n\r\n"a":1}\n')]);
    expect(parseCaptures(Buffer.concat([Buffer.from(`${head}\n`), body]))[0]!.body.equals(body)).toBe(true);
  });

  it.each([
    ['the newline that an editor adds', 'Content-Length: 7\n\n{"a":1}\n', '{"a":1}'],
    ['no newline that belongs to the body', 'Content-Length: 8\n\n{"a":1}\n', '{"a":1}\n'],
    ['nothing without a length', '\n{"a":1}\n', '{"a":1}\n'],
    ['nothing else after the length', 'Content-Length: 3\n\n{"a":1}', '{"a":1}'],
    ['the sizes of chunks', 'Transfer-Encoding: chunked\n\n3\r\n{"a\r\n4;x=1\r\n":1}\r\n0\r\n\r\n', '{"a":1}'],
    ['nothing of chunks that were joined', 'Transfer-Encoding: chunked\n\n{"a":1}', '{"a":1}'],
    ['nothing of chunks that are cut', 'Transfer-Encoding: chunked\n\n3\r\n{"', '3\r\n{"'],
  ])('should have a body without %s', (_, rest, body) => {
    expect(captured(head + rest).body).toBe(body);
  });

  it.each([
    ['at the beginning of the file', `\uFEFF${head}\n{}`],
    ['as empty lines before it', `\n\r\n${head}\n{}`],
  ])('should be read with what editors write %s', (_, text) => {
    expect(captured(text)).toMatchObject({ method: 'POST', body: '{}' });
  });

  it('should have an empty body when it ends after the headers', () => {
    expect(captured('GET / HTTP/1.1\nHost: x')).toMatchObject({ method: 'GET', headers: [['Host', 'x']], body: '' });
  });

  it.each([
    ['HTTP/1.1 200 OK\n\n', 'the first line is not that of a request, such as POST /kiket HTTP/1.1'],
    ['{}', 'the first line is not that of a request, such as POST /kiket HTTP/1.1'],
    ['POST / HTTP/1.1\nHost\n\n', 'line 2 is not a header'],
  ])('should not be %j', (text, reason) => {
    expect(reasonsOf(text, 'http')).toEqual({ http: reason });
  });
});

describe('an HTTP archive', () => {
  const entry = {
    startedDateTime: '2026-04-20T12:00:00.000Z',
    request: {
      method: 'POST',
      url: 'https://example.com/kiket',
      headers: [
        { name: ':authority', value: 'example.com' },
        { name: 'X-Kiket-Event', value: 'issue.created' },
      ],
      postData: { mimeType: 'application/json', text: '{"title":"é"}' },
    },
    response: { status: 401, headers: [], content: { text: 'eyJvayI6ZmFsc2V9', encoding: 'base64' } },
  };
  const archive = (...entries: object[]) => JSON.stringify({ log: { version: '1.2', entries } });

  it('should be read with its response, and without the pseudo-headers of HTTP/2', () => {
    expect(captured(archive(entry))).toEqual({
      method: 'POST',
      url: 'https://example.com/kiket',
      headers: [['X-Kiket-Event', 'issue.created']],
      body: '{"title":"é"}',
      receivedAt: '2026-04-20T12:00:00.000Z',
      response: { status: 401, headers: [], body: Buffer.from('{"ok":false}') },
    });
  });

  it('should have no response where the browser had none', () => {
    const request = { method: 'GET', url: 'http://x/', headers: [] };
    expect(captured(archive({ request, response: { status: 0, headers: [] } }))).toEqual({
      ...request,
      headers: [],
      body: '',
    });
  });

  it.each([
    ['{}', 'it has no object "log"'],
    ['{"log":{}}', '"log.entries" is not an array'],
    [archive({}), 'entry 1: request is not an object'],
    [archive(entry, { request: { method: 'POST' } }), 'entry 2 has no string "url"'],
  ])('should not be %s', (text, reason) => {
    expect(reasonsOf(text, 'har')).toEqual({ har: reason });
  });
});

describe("the requests of ngrok's inspector", () => {
  const raw = (text: string) => ({ raw: Buffer.from(text).toString('base64') });
  const entry = (path: string) => ({
    uri: '/api/requests/http/airt_1',
    start: '2026-04-20T12:00:00Z',
    request: raw(`POST ${path} HTTP/1.1\r\nHost: x.ngrok.app\r\nContent-Length: 2\r\n\r\n{}`),
    response: raw('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\n\r\nlater'),
  });
  const expected = {
    method: 'POST',
    url: '/kiket',
    headers: [
      ['Host', 'x.ngrok.app'],
      ['Content-Length', '2'],
    ],
    body: '{}',
    receivedAt: '2026-04-20T12:00:00Z',
    response: { status: 503, headers: [['Retry-After', '5']], body: Buffer.from('later') },
  };

  it('should be read from their raw bytes, the oldest first', () => {
    const text = JSON.stringify({ uri: '/api/requests/http', requests: [entry('/2'), entry('/kiket')] });
    expect(captured(text)).toEqual(expected);
    expect(parseCaptures(Buffer.from(text)).map(({ url }) => url)).toEqual(['/kiket', '/2']);
  });

  it('should be read one by one', () => {
    expect(captured(JSON.stringify(entry('/kiket')))).toEqual(expected);
  });

  it('should have no response while there is none', () => {
    expect(captured(JSON.stringify({ ...entry('/kiket'), response: {} }))).not.toHaveProperty('response');
  });

  it.each([
    ['{}', 'it has no "requests"'],
    ['{"requests":{}}', '"requests" is not an array'],
    ['{"requests":[{"request":{}}]}', 'request 1 has no string "raw"'],
    [
      JSON.stringify({ request: raw('hello') }),
      'the first line is not that of a request, such as POST /kiket HTTP/1.1',
    ],
    [
      JSON.stringify({ ...entry('/'), response: raw('hello') }),
      'the first line is not that of a response, such as HTTP/1.1 200 OK',
    ],
  ])('should not be %s', (text, reason) => {
    expect(reasonsOf(text, 'ngrok')).toEqual({ ngrok: reason });
  });
});

describe('a curl command line', () => {
  const json = [['Content-Type', 'application/json']];
  const form = [['Content-Type', 'application/x-www-form-urlencoded']];

  it.each<[string, object]>([
    [
      `$ curl -sS -X POST 'http://localhost:3000/kiket' \\\n  -H 'Content-Type: application/json' \\\n  --data-raw '{"title":"it'\\''s"}'`,
      { method: 'POST', url: 'http://localhost:3000/kiket', headers: json, body: `{"title":"it's"}` },
    ],
    ['curl localhost:3000', { method: 'GET', url: 'http://localhost:3000', headers: [], body: '' }],
    ['curl --url x -sXPUT', { method: 'PUT', url: 'http://x', headers: [], body: '' }],
    ['curl x -d a=1 --data b=2', { method: 'POST', url: 'http://x', headers: form, body: 'a=1&b=2' }],
    ['curl x -d "{\\"a\\": \\"\\\\n\\"}"', { method: 'POST', url: 'http://x', headers: form, body: '{"a": "\\n"}' }],
    [
      'curl x --data-raw $\'{"a":"\\u00e9\\n\\\'"}\'',
      { method: 'POST', url: 'http://x', headers: form, body: `{"a":"é\n'"}` },
    ],
    ['curl x --data-raw @home', { method: 'POST', url: 'http://x', headers: form, body: '@home' }],
    [
      `curl x --json '{"a":1}'`,
      { method: 'POST', url: 'http://x', headers: [...json, ['Accept', 'application/json']], body: '{"a":1}' },
    ],
    [
      "curl -k -o out.txt -A agent -u me:pass -b 'a=1' -e http://y -H 'X-A: 1' -HX-A:2 -H 'X-No:' -H 'X-Empty;' x",
      {
        method: 'GET',
        url: 'http://x',
        headers: [
          ['User-Agent', 'agent'],
          ['Authorization', 'Basic bWU6cGFzcw=='],
          ['Cookie', 'a=1'],
          ['Referer', 'http://y'],
          ['X-A', '1'],
          ['X-A', '2'],
          ['X-Empty', ''],
        ],
        body: '',
      },
    ],
  ])('should be read: %s', (text, expected) => {
    expect(captured(text)).toEqual(expected);
  });

  it.each([
    ['wget x', 'it does not begin with curl'],
    ['curl -X POST', 'it has no URL'],
    ['curl x -H', '-H has no value'],
    ['curl x y', 'it has two URLs, or an option whose value begins at "y"'],
    ["curl x -H 'no header'", 'the value of a -H is not a header'],
    ["curl x -d 'open", 'a quote does not end'],
    ['curl x -F a=1', 'the option -F is not known here'],
    ['curl x -d @body.json', '-d reads the body from another file: write it into the command line'],
    ['curl x -H "X-Kiket-Signature: $MAC"', 'the shell would put the value of $MAC in, which is not known here'],
    ['curl x -d "`date`"', 'the shell would put the value of ` in, which is not known here'],
    ['curl $URL', 'the shell would put the value of $URL in, which is not known here'],
  ])('should not be %s', (text, reason) => {
    expect(reasonsOf(text, 'curl')).toEqual({ curl: reason });
  });

  it('should keep a dollar sign that the shell keeps', () => {
    expect(captured(`curl x -d '{"price":"$5"}' -H "X-A: \\$B"`)).toMatchObject({ body: '{"price":"$5"}' });
  });
});

describe('what is not a capture', () => {
  it('should be refused with the reason of each format', () => {
    expect(reasonsOf('hello')).toEqual({
      jsonl: 'line 1 is not JSON',
      http: 'the first line is not that of a request, such as POST /kiket HTTP/1.1',
      har: 'it is not JSON',
      ngrok: 'it is not JSON',
      curl: 'it does not begin with curl',
    });
  });

  it('should be refused by the named format, even when another one fits', () => {
    expect(Object.keys(reasonsOf('GET / HTTP/1.1\n\n', 'curl'))).toEqual(['curl']);
  });
});
