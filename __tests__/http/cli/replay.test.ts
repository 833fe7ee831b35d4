import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import { kiket, kiketErrorHandler, kiketHandler, deny, KIKET_ERRORS } from 'kiket-express';
import type { Capture } from '../../../lib/captures/capture';
import { captureLine } from '../../../lib/captures/write';
import { TAMPERINGS } from '../../../lib/sending/tamper';
import { signDelivery } from 'kiket-express/testing';
import { cli, startCli, temporaryFolder, type CliOptions } from '../../support/cli';
import { secret } from '../../support/deliver';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { anchorsOf } from '../../support/markdown';
import { joinedChunks, partsOf, startRawReceiver } from '../../support/raw-receiver';
import { until } from '../../support/until';

const env = { KIKET_WEBHOOK_SECRET: secret };

function capture(payload: object | string | Buffer, change: Partial<Capture> = {}): Capture {
  const { body, headers } = signDelivery(payload, { secret, timestampSeconds: 1_700_000_000, invocationId: '3f6b0c' });
  return { method: 'POST', url: '/kiket', headers: Object.entries(headers), body: Buffer.from(body), ...change };
}

const recorded = (status: number, body: object) => ({
  response: { status, headers: [], body: Buffer.from(JSON.stringify(body)) },
});

/** Replays captures that are in one file. */
function replay(captures: readonly Capture[], args: readonly string[], options: CliOptions = {}) {
  const cwd = options.cwd ?? temporaryFolder();
  writeFileSync(join(cwd, 'a.jsonl'), captures.map(captureLine).join(''));
  return cli(['replay', 'a.jsonl', ...args], { env, cwd, ...options });
}

interface Received {
  readonly url: string;
  readonly requests: {
    readonly url: string;
    readonly headers: NodeJS.Dict<string | string[]>;
    readonly body: string;
  }[];
}

/** A receiver of any body. */
async function startReceiver(
  respond: (body: string, count: number) => [number, object] = () => [200, { ok: true }],
): Promise<Received> {
  const requests: Received['requests'] = [];
  const { url } = await startServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => (body += text));
    req.on('end', () => {
      requests.push({ url: req.url!, headers: req.headers, body });
      const [status, reply] = respond(body, requests.length);
      res.writeHead(status).end(JSON.stringify(reply));
    });
  });
  return { url, requests };
}

/** A receiver of this package. */
async function startKiket(): Promise<string> {
  const app = express();
  app.set('env', 'test');
  app.post(
    '/kiket',
    kiket({ secret }),
    kiketHandler('*', () => ({ ok: true })),
    kiketErrorHandler(),
  );
  app.post(
    '/guard',
    kiket({ secret }),
    kiketHandler('workflow.before_transition', () => deny('Not before the review')),
    kiketErrorHandler(),
  );
  return (await startServer(app)).url;
}

describe('replay', () => {
  it('should send a delivery with a new signature, and say what came of it', async () => {
    const url = await startKiket();
    const { code, stdout, stderr } = await replay(
      [capture({ event: 'issue.created', event_version: 'v1' })],
      ['--to', url],
    );
    expect(stdout).toMatch(
      new RegExp(
        `^→ POST ${url}/kiket   issue\\.created v1   invocation 3f6b0c   timestamped   46 B\n← 200 in \\d+ ms   \\{"ok":true\\}\n  the delivery is complete\n\n$`,
      ),
    );
    expect([code, stderr]).toEqual([0, '']);
  });

  it('should send the old signature with --exact, and say where its code is explained', async () => {
    const url = await startKiket();
    const { code, stdout } = await replay([capture({ event: 'issue.created' })], ['--to', url, '--exact']);
    expect(stdout).toMatch(
      /← 401 .*\n {2}Kiket gives the delivery up, and halts the workflow\n {2}signature\.stale: https:\S+\/docs\/reference\/errors\.md#signaturestale\n/,
    );
    expect(code).toBe(1);
  });

  it.each(Object.keys(KIKET_ERRORS))('should name a heading of docs/reference/errors.md: %s', async (code) => {
    const { url } = await startReceiver(() => [500, { error: { code } }]);
    const { stdout } = await replay([capture({})], ['--to', url]);
    const [, anchor] = /docs\/reference\/errors\.md#(\S+)/.exec(stdout) ?? [];
    expect(anchorsOf(readFileSync('docs/reference/errors.md', 'utf8'))).toContain(anchor);
  });

  it('should say what a guard has decided', async () => {
    const url = await startKiket();
    const { stdout } = await replay([capture({ event: 'workflow.before_transition' })], ['--to', `${url}/guard`]);
    expect(stdout).toContain('the transition is cancelled, and the user sees: Not before the review\n');
  });

  it('should say that the workflow goes on after a failure of a hook that is not required', async () => {
    const { url } = await startReceiver(() => [422, {}]);
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'kiket.json'), JSON.stringify({ url, events: { 'issue.created': { required: false } } }));
    const { code, stdout } = await replay([capture({ event: 'issue.created' })], [], { cwd });
    expect([code, stdout]).toEqual([1, expect.stringContaining('and the workflow goes on')]);
  });

  it('should not show secrets that a response contains, nor its control characters', async () => {
    const { url } = await startServer((_, res) => res.end(`${secret} canary_secret \u0007\u001B[2J`));
    const env2 = { ...env, KIKET_SECRET_TOKEN: 'canary_secret' };
    for (const flag of ['--diff', '--json']) {
      const { stdout } = await replay([capture({}, recorded(200, {}))], ['--to', url, flag], { env: env2 });
      for (const hidden of ['canary', '\u0007', '\u001B']) expect(stdout).not.toContain(hidden);
      expect(stdout).toContain('[redacted]');
    }
  });

  it('should say that nothing is signed without a secret', async () => {
    const { url, requests } = await startReceiver();
    const { stdout, stderr } = await replay([capture({ event: 'a' })], ['--to', url], { env: {} });
    expect(stdout).toContain('   unsigned   ');
    expect(stderr).toBe('nothing is signed, because there is no delivery secret: name it with --secret-env\n');
    expect(requests[0]!.headers['x-kiket-signature']).toBeUndefined();
  });

  it('should read captures from standard input, in any format', async () => {
    const { url, requests } = await startReceiver();
    const stdin = "curl http://localhost:1/kiket -H 'X-Kiket-Event: issue.created' --data-raw '{}'";
    expect(await cli(['replay', '-', '--to', url], { env, stdin })).toMatchObject({ code: 0 });
    expect(requests[0]).toMatchObject({ url: '/kiket', headers: { 'x-kiket-event': 'issue.created' }, body: '{}' });
  });

  it('should send captures of an absolute URL back to it', async () => {
    const { url, requests } = await startReceiver();
    expect(await replay([capture({}, { url: `${url}/hook?version=v1` })], [])).toMatchObject({ code: 0 });
    expect(requests[0]!.url).toBe('/hook?version=v1');
  });

  it('should leave out requests that are not deliveries, and say so', async () => {
    const { url, requests } = await startReceiver();
    const { stderr } = await replay([capture({}), capture({}, { method: 'GET' })], ['--to', url]);
    expect(requests).toHaveLength(1);
    expect(stderr).toContain('1 of 2 captures are left out: deliveries are sent by POST');
  });

  it('should write one JSON document with --json', async () => {
    const { url } = await startReceiver((_, n) => [n === 1 ? 200 : 503, { ok: n === 1 }]);
    const { code, stdout } = await replay(
      [capture({ event: 'a' }), capture({ event: 'b' }, recorded(200, { ok: true }))],
      ['--to', url, '--json', '--diff'],
    );
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      command: 'replay',
      sent: 2,
      planned: 2,
      success: 1,
      retryable: 1,
      final: 0,
      changed: 1,
      results: [
        { source: 'a.jsonl #1', event: 'a', invocation: '3f6b0c', status: 200, outcome: 'success' },
        {
          source: 'a.jsonl #2',
          status: 503,
          outcome: 'retryable',
          difference: {
            status: [200, 503],
            outcome: ['success', 'retryable'],
            changes: [{ path: 'ok', before: true, after: false }],
          },
        },
      ],
    });
  });

  it('should show progress on a terminal, and none in a pipe', async () => {
    const { url } = await startReceiver();
    const two = [capture({ event: 'a' }), capture({ event: 'b' })];
    expect((await replay(two, ['--to', url], { isTerminal: true })).stderr).toContain('1 of 2');
    expect((await replay(two, ['--to', url])).stderr).toBe('');
  });
});

describe('the bytes of replay', () => {
  const bodies: [string, Buffer][] = [
    ['no byte', Buffer.alloc(0)],
    ['a byte order mark and CR LF', Buffer.from('\uFEFF{\r\n"a": 1.0\r\n}\r\n')],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xe9, 0x00, 0xff, 0x7d, 0x0a])],
    ['500 KB', Buffer.alloc(500_000, '{"é":1}')],
  ];
  const headers: Capture['headers'] = [
    ['host', 'tunnel.example.com'],
    ['X-Twice', 'a'],
    ['x-kiket-SIGNATURE', 'abc'],
    ['x-twice', 'b'],
    ['X-Latin', 'caf\xe9'],
    ['Connection', 'close'],
  ];

  it.each(bodies)('should be those of the capture with --exact: %s', async (_, body) => {
    const { url, received } = await startRawReceiver();
    const lines: Capture['headers'] = [...headers, ['content-LENGTH', String(body.length)]];
    await replay([capture(body, { headers: lines, url: '/kiket?a=1' })], ['--to', url, '--exact']);
    const sent = partsOf(received[0]!);
    const expected = lines.map(([name, value]) => `${name}: ${name === 'host' ? new URL(url).host : value}`);
    expect(sent.head?.split('\r\n')).toEqual(['POST /kiket?a=1 HTTP/1.1', ...expected]);
    expect(sent.body.equals(body)).toBe(true);
  });

  it.each(bodies)('should have the body of the capture when it is signed again: %s', async (_, body) => {
    const { url, received } = await startRawReceiver();
    await replay([capture(body)], ['--to', url]);
    expect(partsOf(received[0]!).body.equals(body)).toBe(true);
  });

  it.each([['--exact'], ['--resign'], ['--fresh']])('should be in chunks as the capture was, with %s', async (mode) => {
    const { url, received } = await startRawReceiver();
    const body = Buffer.from('{"a":1}');
    await replay([capture(body, { headers: [...headers, ['Transfer-Encoding', 'chunked']] })], ['--to', url, mode]);
    const sent = partsOf(received[0]!);
    expect(sent.head).not.toMatch(/content-length/i);
    expect(joinedChunks(sent.body)).toEqual(body);
  });
});

describe('what replay changes', () => {
  it('should be token, expiry and secrets with --fresh', async () => {
    const { url, requests } = await startReceiver();
    const payload = { authentication: { runtime_token: '[redacted]' }, secrets: { A: '[redacted]', B: '[redacted]' } };
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, '.env'), 'A=from-file\n');
    const { stderr } = await replay(
      [capture(payload, { isRedacted: true })],
      ['--to', url, '--fresh', '--env-file', '.env'],
      { cwd },
    );
    const sent = JSON.parse(requests[0]!.body) as typeof payload;
    expect(sent.secrets).toEqual({ A: 'from-file', B: '[redacted]' });
    expect(sent.authentication.runtime_token).toMatch(/^[\w-]{32}$/);
    expect(stderr).toBe('no value for B: sent as [redacted]; --env-file or KIKET_SECRET_* name one\n');
  });

  it('should be values of the payload with --set and --unset', async () => {
    const { url, requests } = await startReceiver();
    const payload = { event: 'a', issue: { title: 'old', labels: ['x', 'y'] } };
    const args = ['--set', 'issue.title=a=b', '--set', 'issue.labels.0={"n":1}', '--unset', 'event'];
    await replay([capture(payload)], ['--to', url, ...args]);
    expect(requests[0]!.body).toBe('{"issue":{"title":"a=b","labels":[{"n":1},"y"]}}');
  });

  it('should be the invocation with --new-invocation', async () => {
    const { url, requests } = await startReceiver();
    await replay([capture({})], ['--to', url, '--new-invocation']);
    expect(requests[0]!.headers['x-kiket-invocation']).toMatch(/^[\da-f-]{36}$/);
  });

  it.each(TAMPERINGS.map(({ name }) => [name]))('should be sent with --tamper %s, and have a result', async (name) => {
    const url = await startKiket();
    const { stdout } = await replay([capture({ event: 'issue.created' })], ['--to', url, '--tamper', name, '--json']);
    const { results } = JSON.parse(stdout) as { results: { status?: number; failure?: object }[] };
    expect(results).toHaveLength(name === 'duplicate' ? 2 : 1);
    for (const { status, failure } of results) expect(status ?? failure).toBeDefined();
  });

  it('should be the body that the editor has saved with --edit, and nothing when it has not changed it', async () => {
    const { url, requests } = await startReceiver();
    const cwd = temporaryFolder();
    const script = join(cwd, 'edit.js');
    writeFileSync(
      script,
      `const fs = require('node:fs'); const file = process.argv[2]; const text = fs.readFileSync(file, 'utf8');
       fs.writeFileSync(file, text.replace('"old"', '"new"') + '\\n');`,
    );
    const options = { cwd, env: { ...env, EDITOR: `"${process.execPath}" "${script}"` } };
    await replay([capture('{"a": "old"}'), capture('{"a": "other"}')], ['--to', url, '--edit', '--last', '1'], options);
    await replay([capture('{"a": "old"}')], ['--to', url, '--edit'], options);
    expect(requests.map(({ body }) => body)).toEqual(['{"a": "other"}', '{\n  "a": "new"\n}']);
  });

  it.each([
    ['the editor fails', { EDITOR: 'false' }, 1, 3, 'error: the editor false has failed\n'],
    ['there is no editor', {}, 1, 2, 'error: --edit needs an editor: set EDITOR\n'],
    [
      'there is more than one capture',
      { EDITOR: 'true' },
      2,
      2,
      'error: --edit is for one capture, but 2 are chosen: add --last 1\n',
    ],
  ])('should not be edited when %s', async (_, editor, count, code, stderr) => {
    const captures = Array.from({ length: count }, () => capture({}));
    expect(await replay(captures, ['--to', 'localhost:1', '--edit'], { env: { ...env, ...editor } })).toMatchObject({
      code,
      stderr,
    });
  });
});

describe('the captures that replay sends', () => {
  const events = ['issue.created', 'issue.updated', 'comment.created', 'issue.created'];
  const captures = events.map((event, i) => capture({ event, n: i }, recorded(i === 3 ? 503 : 200, {})));
  const sentBy = async (...args: string[]): Promise<number[]> => {
    const { url, requests } = await startReceiver();
    await replay(captures, ['--to', url, ...args]);
    return requests.map(({ body }) => (JSON.parse(body) as { n: number }).n);
  };

  it.each([
    [[], [0, 1, 2, 3]],
    [['--in-order'], [0, 1, 2, 3]],
    [
      ['--only', 'event=issue.*'],
      [0, 1, 3],
    ],
    [['--only', 'event=issue.*,status=5xx'], [3]],
    [
      ['--last', '2'],
      [2, 3],
    ],
    [
      ['--only', 'event=issue.*', '--last', '2'],
      [1, 3],
    ],
  ])('should be chosen by %j', async (args, expected) => {
    expect(await sentBy(...args)).toEqual(expected);
  });

  it('should be in an order that a seed repeats', async () => {
    const order = await sentBy('--shuffle', '7');
    expect(order).not.toEqual([0, 1, 2, 3]);
    expect(await sentBy('--shuffle', '7')).toEqual(order);
  });

  it('should be under way at once with --parallel', async () => {
    let [now, most] = [0, 0];
    const { url } = await startServer((req, res) => {
      most = Math.max(most, ++now);
      // All that may come have come.
      void until(() => most === 3).then(() => {
        now--;
        res.end();
      });
      req.resume();
    });
    expect(await replay(captures.slice(0, 3), ['--to', url, '--parallel', '3'])).toMatchObject({ code: 0 });
    expect(most).toBe(3);
  });
});

describe('the comparison with what was recorded', () => {
  const withResponse = capture({ event: 'a' }, recorded(200, { ok: true, n: 1 }));

  it.each<[string, [number, object], number, RegExp]>([
    ['the same', [200, { n: 1, ok: true }], 0, /\n {2}the response is as recorded\n/],
    ['another body', [200, { ok: true, n: 2 }], 1, /\n {2}the response has changed\n {4}n: 1 → 2\n/],
    ['another status', [202, { ok: true, n: 1 }], 1, /\n {2}the response has changed, 200 → 202\n/],
    [
      'another outcome',
      [503, {}],
      1,
      /\n {2}the response has changed, success → retryable, 200 → 503\n {4}ok: true → absent\n/,
    ],
  ])('should find %s', async (_, response, code, pattern) => {
    const { url } = await startReceiver(() => response);
    const result = await replay([withResponse], ['--to', url, '--fail-on-change']);
    expect(result.stdout).toMatch(pattern);
    expect(result.code).toBe(code);
  });

  it('should end with 0 for a failure that was recorded as one', async () => {
    const { url } = await startReceiver(() => [422, { error: 'x' }]);
    const failed = capture({}, recorded(422, { error: 'x' }));
    expect(await replay([failed], ['--to', url, '--fail-on-change'])).toMatchObject({ code: 0 });
    expect(await replay([failed], ['--to', url, '--diff'])).toMatchObject({ code: 1 });
  });

  it('should say when no response was recorded', async () => {
    const { url } = await startReceiver();
    const { code, stdout } = await replay([capture({})], ['--to', url, '--fail-on-change']);
    expect([code, stdout]).toEqual([0, expect.stringContaining('\n  no response was recorded\n')]);
  });

  it('should count a missing response as a change', async () => {
    const { url } = await startServer((req) => req.socket.destroy());
    const { code, stdout } = await replay([withResponse], ['--to', url, '--fail-on-change']);
    expect(stdout).toMatch(
      /no response in \d+ ms: the connection was closed.*the response has changed, success → retryable, 200 → none\n/s,
    );
    expect(code).toBe(1);
  });
});

describe('replay ends early', () => {
  it('should say how many it has sent when it is interrupted', async () => {
    let isHanging = false;
    const { url } = await startServer((req, res) => {
      req.resume();
      if (req.headers['x-kiket-event'] === 'hang') isHanging = true;
      else res.end();
    });
    const cwd = temporaryFolder();
    const events = ['a', 'hang', 'b'];
    writeFileSync(
      join(cwd, 'a.jsonl'),
      events.map((event) => captureLine(capture({}, { headers: [['X-Kiket-Event', event]] }))).join(''),
    );
    const started = startCli(['replay', 'a.jsonl', '--to', url], { env, cwd });
    await until(() => isHanging);
    started.interrupt();
    expect(await started.ended).toMatchObject({ code: 3, stderr: 'interrupted: 1 of 3 sent: 1 success\n' });
  });

  it('should end with 3 when the receiver cannot be reached, and say what was tried', async () => {
    const origin = await closedOrigin();
    expect(await replay([capture({}), capture({})], ['--to', origin])).toMatchObject({
      code: 3,
      stdout: '',
      stderr: `error: ${origin} cannot be reached: nothing listens there. Tried POST ${origin}/kiket; 0 of 2 were sent before\n`,
    });
  });

  it('should break off what is under way when a receiver cannot be reached', async () => {
    let hasLeft = false;
    const { url } = await startServer((_, res) => res.on('close', () => (hasLeft = true)));
    const captures = [url, await closedOrigin()].map((origin) => capture({}, { url: `${origin}/kiket` }));
    expect(await replay(captures, ['--parallel', '2', '--timeout', '60s'])).toMatchObject({ code: 3 });
    await until(() => hasLeft);
  });

  it('should end with 1 when a response takes longer than the time limit', async () => {
    const { url } = await startServer((req) => req.resume());
    const { code, stdout } = await replay([capture({})], ['--to', url, '--timeout', '100ms']);
    expect([code, stdout]).toEqual([
      1,
      expect.stringContaining('no response within 100 ms\n  Kiket sends the delivery again'),
    ]);
  });
});

describe('replay refuses', () => {
  it.each<[string, readonly string[], number, string]>([
    ['a file that is missing', ['none.jsonl'], 3, 'none.jsonl cannot be read: ENOENT'],
    ['a receiver on another machine', ['--to', 'https://example.com/'], 2, 'example.com is not this machine'],
    ['a receiver that is not given', [], 2, 'there is no receiver: name it with --to'],
    ['a condition that is unknown', ['--only', 'size=1'], 2, '--only: "size=1" is not a condition'],
    ['captures of which none is chosen', ['--only', 'event=b'], 2, 'none of the 1 captures is one of --only event=b'],
    ['--exact with changes', ['--exact', '--set', 'a=1'], 2, "option '--exact' cannot be used with option '--set"],
    ['two modes', ['--resign', '--fresh'], 2, "option '--resign' cannot be used with option '--fresh'"],
    ['two orders', ['--in-order', '--shuffle', '1'], 2, "option '--in-order' cannot be used with option '--shuffle"],
    ['a seed that is not a number', ['--shuffle', 'x'], 2, 'It must be an integer from 0 to 999999999.'],
    ['an unknown tampering', ['--tamper', 'bodybyte'], 2, 'Allowed choices are no-signature'],
    [
      'an assignment without a value',
      ['--to', '127.0.0.1:1', '--set', 'title'],
      2,
      '--set must be a path and a value, but is "title"',
    ],
    [
      'a path through a string',
      ['--to', '127.0.0.1:1', '--set', 'event.a=1'],
      2,
      'a.jsonl #1: "event.a" leads through "event"',
    ],
    ['an unknown option', ['--exat'], 2, "error: unknown option '--exat'\n(Did you mean --exact?)"],
  ])('should refuse %s', async (_, args, code, message) => {
    const result = await replay([capture({ event: 'a' })], args);
    expect([result.code, result.stderr]).toEqual([code, expect.stringContaining(message)]);
  });

  it.each([[[]], [['--exact']]])('should refuse a capture whose URL is invalid, with %j', async (options) => {
    const args = ['--to', 'http://localhost:3000', ...options];
    expect(await replay([capture({ event: 'issue.created' }, { url: 'http://[' })], args)).toMatchObject({
      code: 2,
      stderr: 'error: a.jsonl #1: its URL is invalid\n',
    });
  });

  it('should name the formats that it has tried for a file that is not a capture', async () => {
    const result = await cli(['replay', '-'], { stdin: 'hello' });
    expect(result).toMatchObject({
      code: 3,
      stderr:
        'error: - is not a capture in a format that is known here:\n' +
        '  it is not JSON lines of kiket-express record: line 1 is not JSON\n' +
        '  it is not a raw HTTP request: the first line is not that of a request, such as POST /kiket HTTP/1.1\n' +
        '  it is not an HTTP archive (HAR): it is not JSON\n' +
        "  it is not requests of ngrok's /api/requests/http: it is not JSON\n" +
        '  it is not a curl command line: it does not begin with curl\n',
    });
  });

  it('should refuse to send a redacted capture exactly, but send it signed again', async () => {
    const { url } = await startReceiver();
    const captures = [capture({ event: 'a' }), capture({ event: 'b' }, { isRedacted: true })];
    const exact = await replay(captures, ['--to', url, '--exact']);
    expect(exact).toMatchObject({ code: 2, stdout: '' });
    expect(exact.stderr).toContain('a.jsonl #2 is redacted: its signature does not match the body any more');
    const { code, stderr } = await replay(captures, ['--to', url]);
    expect([code, stderr]).toEqual([0, expect.stringContaining('1 of 2 captures are redacted')]);
  });
});
