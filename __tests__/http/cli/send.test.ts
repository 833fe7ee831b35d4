import { createHmac } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import express from 'express';
import request from 'supertest';
import { deny, kiket, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { captureLine } from '../../../lib/captures/write';
import { TAMPERINGS } from '../../../lib/sending/tamper';
import { cli, startCli, temporaryFolder, type CliOptions } from '../../support/cli';
import { secret } from '../../support/deliver';
import { runBlock } from '../../support/doc-block';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { joinedChunks, partsOf, startRawReceiver } from '../../support/raw-receiver';
import { until } from '../../support/until';

const env = { KIKET_WEBHOOK_SECRET: secret };

const send = (args: readonly string[], options: CliOptions = {}) => cli(['send', ...args], { env, ...options });

/** A receiver of this package, with a guard at /guard. */
async function startKiket(): Promise<string> {
  const app = express();
  app.set('env', 'test');
  const handler = kiketHandler(({ event }) => ({ ok: true, event }));
  app.post('/kiket', kiket({ secret }), handler, kiketErrorHandler());
  const guard = kiketHandler('workflow.before_transition', () => deny('Not before the review'));
  app.post('/guard', kiket({ secret }), guard, kiketErrorHandler());
  return (await startServer(app)).url;
}

interface ReceivedRequest {
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly body: string;
}

/** A receiver that responds with the given statuses in turn; with the last one from then on. */
async function startReceiver(...statuses: readonly number[]) {
  const requests: ReceivedRequest[] = [];
  const { url, counts } = await startServer((req, res) => {
    let body = '';
    req.setEncoding('utf8').on('data', (text: string) => (body += text));
    req.on('end', () => {
      const status = statuses[Math.min(requests.length, statuses.length - 1)] ?? 200;
      requests.push({ headers: req.headers, body });
      res.writeHead(status).end('{}');
    });
  });
  return { url, requests, counts };
}

const payloadIn = ({ body }: ReceivedRequest) => JSON.parse(body) as Record<string, unknown>;

/** A folder with the given files. */
function folderWith(files: Readonly<Record<string, string | Buffer>>): string {
  const cwd = temporaryFolder();
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(join(cwd, name, '..'), { recursive: true });
    writeFileSync(join(cwd, name), content);
  }
  return cwd;
}

describe('send', () => {
  it('should say what was sent, what came, and what Kiket makes of it', async () => {
    const url = await startKiket();
    const { code, stdout, stderr } = await send([
      'issue.created',
      '--to',
      `${url}/kiket`,
      '--invocation',
      '3f6b0c7788',
    ]);
    expect(stdout).toMatch(
      new RegExp(
        `^→ POST ${url}/kiket   issue\\.created v1   invocation 3f6b0c77   timestamped   \\d+ B\n` +
          `← 200 in \\d+ ms   \\{"ok":true,"event":"issue.created"\\}\n  the delivery is complete\n$`,
      ),
    );
    expect([code, stderr]).toEqual([0, '']);
  });

  it('should say what the user sees after a guard, and compare it with --expect', async () => {
    const url = await startKiket();
    const args = ['workflow.before_transition', '--to', `${url}/guard`];
    const { code, stdout } = await send([...args, '--expect', 'deny']);
    expect(stdout).toContain('  the transition is cancelled, and the user sees: Not before the review\n');
    expect(code).toBe(0);
    expect((await send([...args, '--expect', 'allow'])).code).toBe(1);
  });

  it('should end with 1 for a refusal, and say where its code is explained', async () => {
    const url = await startKiket();
    const { code, stdout } = await send(['--to', `${url}/kiket`], { env: { KIKET_WEBHOOK_SECRET: 'another' } });
    expect(stdout).toContain('/docs/reference/errors.md#signaturemismatch\n');
    expect(code).toBe(1);
  });

  it('should write one JSON document, without secret, signature and token', async () => {
    const url = await startKiket();
    const args = ['issue.created', '--to', `${url}/kiket`, '--api', 'http://localhost:4539', '--json'];
    const { stdout } = await send(args, { env: { ...env, KIKET_SECRET_TOKEN: 'canary_secret' } });
    expect(JSON.parse(stdout)).toMatchObject({
      schema: 1,
      command: 'send',
      wanted: 1,
      deliveries: [{ attempts: [{ status: 200, outcome: 'success', event: 'issue.created', eventVersion: 'v1' }] }],
    });
    for (const hidden of [secret, 'canary_secret', 'Signature', 'runtime_token']) expect(stdout).not.toContain(hidden);
  });

  it.each([[[]], [['--json']]])('should not show what a receiver has echoed, with %j', async (options) => {
    let sent = '';
    const { url } = await startServer((req, res) => {
      let body = '';
      req.setEncoding('utf8').on('data', (text: string) => (body += text));
      req.on('end', () => {
        const { authentication } = JSON.parse(body) as { authentication: object };
        sent = JSON.stringify({ signature: req.headers['x-kiket-signature'], ...authentication });
        res.end(sent);
      });
    });
    const { stdout } = await send(['issue.created', '--to', url, '--api', 'http://localhost:4539', ...options]);
    const { signature, runtime_token } = JSON.parse(sent) as Record<string, string>;
    for (const hidden of [signature!, runtime_token!]) expect(stdout).not.toContain(hidden);
    expect(stdout).toContain('[redacted]');
  });

  it('should say that nothing is signed without a secret, and which variable to set', async () => {
    const { url, requests } = await startReceiver();
    const { code, stderr } = await send(['--to', url], { env: {} });
    expect(stderr).toBe(
      'nothing is signed, because there is no delivery secret: set KIKET_WEBHOOK_SECRET, or name one with --secret-env\n',
    );
    expect(code).toBe(0);
    expect(requests[0]!.headers['x-kiket-signature']).toBeUndefined();
    const cwd = folderWith({ 'kiket.json': '{"secretEnv":"MY_SECRET"}' });
    expect((await send(['--to', url], { cwd })).stderr).toContain('set MY_SECRET, or');
  });

  it('should write nothing for people with --quiet', async () => {
    const { url } = await startReceiver(500);
    expect(await send(['--to', url, '--quiet'])).toMatchObject({ code: 1, stdout: '', stderr: '' });
  });
});

describe('the payload of send', () => {
  /** Sends, and returns the received request. */
  async function sent(args: readonly string[], options: CliOptions = {}) {
    const { url, requests } = await startReceiver();
    const { code, stderr } = await send([...args, '--to', url], options);
    expect([code, stderr.replace(/--secret: shells.*\n/, '')]).toEqual([0, '']);
    return requests[0]!;
  }

  it('should be a template of the event, with the ids that are given', async () => {
    const { headers, body } = await sent([
      'case.created',
      '--event-version',
      'v2',
      '--project',
      '9',
      '--organization',
      'org_3',
      '--invocation',
      'i1',
    ]);
    expect(headers).toMatchObject({
      'x-kiket-event': 'case.created',
      'x-kiket-event-version': 'v2',
      'x-kiket-project': '9',
      'x-kiket-organization': 'org_3',
      'x-kiket-invocation': 'i1',
    });
    expect(JSON.parse(body)).toMatchObject({ event: 'case.created', event_version: 'v2', case: { project_id: 9 } });
  });

  it('should be in the envelope data', async () => {
    const args = ['issue.created', '--envelope', 'data', '--project', '9', '--organization', '3', '--invocation', 'i1'];
    expect(payloadIn(await sent(args))).toMatchObject({
      id: 'evt_i1',
      type: 'issue.created',
      organizationId: '3',
      data: { issue: { project_id: '9' } },
    });
  });

  it('should have secrets, missing ones, token and API', async () => {
    const cwd = folderWith({ '.env.kiket': 'TOKEN="from the file"\nOTHER=2\n' });
    const args = [
      '--env-file',
      '.env.kiket',
      '--missing',
      'A',
      '--missing',
      'B',
      '--scopes',
      'x,y',
      '--api',
      'http://localhost:4539',
    ];
    const request1 = await sent(args, {
      cwd,
      env: { ...env, KIKET_SECRET_TOKEN: 'from the environment', KIKET_SECRET_KEY: '3' },
    });
    expect(payloadIn(request1)).toMatchObject({
      secrets: { TOKEN: 'from the file', OTHER: '2', KEY: '3' },
      secret_status: { missing: ['A', 'B'] },
      authentication: { token_type: 'runtime', scopes: ['x', 'y'] },
      api: { base_url: 'http://localhost:4539', runtime_header: 'X-Kiket-Runtime-Token' },
    });
  });

  it.each([{}, { KIKET_BASE_URL: '' }])('should have no token unless there is something to call: %j', async (more) => {
    const payload = payloadIn(await sent([], { env: { ...env, ...more } }));
    expect([payload['authentication'], payload['api'], payload['secrets']]).toEqual([undefined, undefined, undefined]);
  });

  it('should be changed by --set and --unset', async () => {
    const args = ['--set', 'issue.title="x=y"', '--set', 'issue.kind=bug', '--unset', 'issue.key'];
    const { issue } = payloadIn(await sent(args)) as { issue: object };
    expect(issue).toMatchObject({ title: 'x=y', kind: 'bug' });
    expect(issue).not.toHaveProperty('key');
  });

  it.each([
    ['the first event of kiket.json', { 'kiket.json': '{"events":{"sla.breached":{}}}' }, [], 'sla.breached'],
    ['an event without a name', {}, [], 'issue.created'],
    ['a file', { 'a.json': '{"event":"comment.created"}' }, ['a.json'], 'comment.created'],
    ['a saved delivery', { '.kiket/deliveries/late.json': '{"event":"sla.breach"}' }, ['late'], 'sla.breach'],
    ['a saved delivery with its ending', { '.kiket/deliveries/late.json': '{"event":"a.b"}' }, ['late.json'], 'a.b'],
    [
      'a saved delivery of another folder',
      { 'kiket.json': '{"deliveries":"saved"}', 'saved/late.json': '{"event":"a.b"}' },
      ['late'],
      'a.b',
    ],
  ])('should be that of %s', async (_name, files, args, event) => {
    const { headers } = await sent(args, { cwd: folderWith(files) });
    expect(headers['x-kiket-event']).toBe(event);
  });

  it('should be read from standard input', async () => {
    const { body, headers } = await sent(['-'], { stdin: '{ "event": "a.b", "event_version": "2" }' });
    expect(body).toBe('{ "event": "a.b", "event_version": "2" }');
    expect(headers).toMatchObject({ 'x-kiket-event': 'a.b', 'x-kiket-event-version': '2' });
  });

  it('should be the newest of the captures in a file', async () => {
    const captures = ['a.first', 'a.second'].map((event) =>
      captureLine({ method: 'POST', url: '/', headers: [['X-Kiket-Event', event]], body: Buffer.from('{"n":1}') }),
    );
    const { headers, body } = await sent(['c.jsonl'], { cwd: folderWith({ 'c.jsonl': captures.join('') }) });
    expect([headers['x-kiket-event'], body]).toEqual(['a.second', '{"n":1}']);
  });
});

describe('the bytes of send', () => {
  const mac = (key: string, ...parts: (string | Buffer)[]): string => {
    const hmac = createHmac('sha256', key);
    for (const part of parts) hmac.update(part);
    return hmac.digest('hex');
  };

  /** Sends to a socket, and returns the lines of the head and the bytes of the body. */
  async function onTheWire(
    args: readonly string[],
    files: Readonly<Record<string, string | Buffer>> = {},
    key = secret,
  ) {
    const { url, received } = await startRawReceiver();
    const options = { cwd: folderWith(files), env: { KIKET_WEBHOOK_SECRET: key } };
    const { code, stderr } = await send([...args, '--to', `${url}/kiket`, '--invocation', 'i1'], options);
    expect([code, stderr]).toEqual([0, '']);
    const { head, body } = partsOf(received[0]!);
    const lines = head!.split('\r\n');
    const headerOf = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
    return { lines, body, headerOf };
  }

  const FILES: Readonly<Record<string, Buffer>> = {
    'spaces.json': Buffer.from('{ "event":\t"a.b" , "n": 1.0, "big": 9007199254740993, "e": "\\u00e9\\/" }'),
    'bom.json': Buffer.from('\uFEFF{"event":"a.b"}'),
    'crlf.json': Buffer.from('{\r\n"event": "a.b"\r\n}\r\n'),
    'latin1.json': Buffer.from('{"event":"a.b","name":"Zo\u00EB"}', 'latin1'),
    'large.json': Buffer.from(JSON.stringify({ event: 'a.b', padding: 'x'.repeat(500 * 1024) })),
  };

  it.each(Object.keys(FILES))('should be those of a file, and those that are signed: %s', async (name) => {
    for (const args of [[], ['--raw']]) {
      const { body, headerOf } = await onTheWire([name, ...args], FILES);
      expect(body.equals(FILES[name]!)).toBe(true);
      expect(headerOf('Content-Length')).toBe(String(body.length));
      expect(headerOf('X-Kiket-Signature')).toBe(mac(secret, `${headerOf('X-Kiket-Timestamp')}.`, body));
    }
  });

  it('should be none for --tamper empty', async () => {
    const { body, headerOf } = await onTheWire(['--tamper', 'empty']);
    expect([body.length, headerOf('Content-Length')]).toEqual([0, '0']);
    expect(headerOf('X-Kiket-Signature')).toBe(mac(secret, `${headerOf('X-Kiket-Timestamp')}.`));
  });

  it('should be in chunks for --tamper chunked', async () => {
    const { lines, body, headerOf } = await onTheWire(['large.json', '--tamper', 'chunked'], FILES);
    expect(lines).toContain('Transfer-Encoding: chunked');
    expect(headerOf('Content-Length')).toBeUndefined();
    expect(joinedChunks(body).equals(FILES['large.json']!)).toBe(true);
  });

  it.each([
    [['--bom'], (text: string) => `\uFEFF${text}`],
    [['--newline', 'lf'], (text: string) => `${text}\n`],
    [['--newline', 'crlf'], (text: string) => `${text}\r\n`],
    [['--bom', '--newline', 'lf'], (text: string) => `\uFEFF${text}\n`],
    [['--pretty'], (text: string) => JSON.stringify(JSON.parse(text), null, 2)],
    [['--pretty', '--newline', 'lf'], (text: string) => `${JSON.stringify(JSON.parse(text), null, 2)}\n`],
  ])('should be written as other senders do with %j', async (args, expected) => {
    const files = { 'a.json': '{"event":"a.b","issue":{"id":7}}' };
    const { body, headerOf } = await onTheWire(['a.json', ...args], files);
    expect(body.toString()).toBe(expected(files['a.json']));
    expect(headerOf('X-Kiket-Signature')).toBe(mac(secret, `${headerOf('X-Kiket-Timestamp')}.`, body));
  });

  it('should have the headers in the order and spelling of the platform', async () => {
    const { lines } = await onTheWire(['issue.created', '--project', '27', '--organization', '3']);
    expect(lines.map((line) => line.split(':')[0])).toEqual([
      ...['POST /kiket HTTP/1.1', 'Host', 'Connection', 'Content-Length', 'Content-Type', 'Accept'],
      ...['X-Kiket-Event', 'X-Kiket-Event-Version', 'X-Kiket-Invocation', 'X-Kiket-Project', 'X-Kiket-Organization'],
      ...['X-Kiket-Timestamp', 'X-Kiket-Signature'],
    ]);
  });

  it("should have only the headers of the platform's command line with --headers minimal", async () => {
    const { lines } = await onTheWire(['--headers', 'minimal', '--scheme', 'body']);
    expect(lines.slice(4).map((line) => line.split(':')[0])).toEqual(['Content-Type', 'Accept', 'X-Kiket-Signature']);
  });

  it('should have further headers, repeated ones, other values, and none that is left out', async () => {
    const args = [
      'X-One: 1',
      'x-two: a',
      'x-two:b',
      'X-KIKET-EVENT: other.event',
      'content-type:text/plain',
      'X-Empty:',
    ];
    const { lines } = await onTheWire([
      ...args.flatMap((line) => ['--header', line]),
      '--omit',
      'accept',
      '--omit',
      'X-Kiket-Invocation',
    ]);
    expect(lines.slice(4).filter((line) => !/^X-Kiket-(?:Timestamp|Signature)/.test(line))).toEqual([
      'X-Kiket-Event-Version: v1',
      ...['X-One: 1', 'x-two: a', 'x-two: b', 'X-KIKET-EVENT: other.event', 'content-type: text/plain', 'X-Empty: '],
    ]);
  });

  it('should repeat the signature for --tamper signature-repeated', async () => {
    const { lines } = await onTheWire(['--tamper', 'signature-repeated']);
    const signatures = lines.filter((line) => line.startsWith('X-Kiket-Signature: '));
    expect([signatures.length, new Set(signatures).size]).toEqual([2, 1]);
  });

  it.each([
    [['--scheme', 'body'], /^[\da-f]{64}$/, undefined],
    [['--scheme', 'body', '--prefix', 'sha256='], /^sha256=[\da-f]{64}$/, undefined],
    [['--timestamp', '1700000000'], /^[\da-f]{64}$/, 1_700_000_000],
    [['--timestamp', 'now'], /^[\da-f]{64}$/, 0],
    [['--timestamp', '+600'], /^[\da-f]{64}$/, 600],
    [['--timestamp', '-600'], /^[\da-f]{64}$/, -600],
  ])('should be signed by %j', async (args, form, seconds) => {
    const now = Date.now() / 1000;
    const { headerOf, body } = await onTheWire(args);
    const timestamp = headerOf('X-Kiket-Timestamp');
    const signed = timestamp === undefined ? [body] : [`${timestamp}.`, body];
    expect(headerOf('X-Kiket-Signature')).toMatch(form);
    expect(headerOf('X-Kiket-Signature')).toContain(mac(secret, ...signed));
    if (seconds === undefined) expect(timestamp).toBeUndefined();
    else expect(Math.abs(Number(timestamp) - (seconds > 1000 ? seconds : now + seconds))).toBeLessThan(60);
  });

  it('should be signed with a secret that is not ASCII', async () => {
    const { headerOf, body } = await onTheWire(['--scheme', 'body'], {}, 'geheim-\u00E9-\u{1F511}');
    expect(headerOf('X-Kiket-Signature')).toBe(mac('geheim-\u00E9-\u{1F511}', body));
  });

  it.each(TAMPERINGS.map(({ name }) => name))(
    'should be sent with --tamper %s, and have a result',
    async (tampering) => {
      const url = await startKiket();
      const { stdout, stderr } = await send(['--to', `${url}/kiket`, '--tamper', tampering, '--json']);
      const { deliveries } = JSON.parse(stdout) as { deliveries: unknown[] };
      expect([deliveries.length, stderr]).toEqual([tampering === 'duplicate' ? 2 : 1, '']);
    },
  );
});

describe('several attempts of send', () => {
  it('should follow the schedule in less time, with the same ids and content', async () => {
    const { url, requests } = await startReceiver(503, 429, 200);
    const args = ['--retries', '30s,1m', '--speed', '3000', '--api', 'http://localhost:4539'];
    const { code, stdout } = await send(['issue.created', '--to', url, '--envelope', 'data', ...args]);
    expect(stdout).toContain('  again in 10 ms, on the platform in 30 s\n');
    expect(stdout).toContain('  again in 20 ms, on the platform in 1 min\n');
    expect([code, requests.length]).toEqual([0, 3]);
    const contents = requests.map((each) => {
      const { authentication, ...rest } = payloadIn(each) as { authentication: { runtime_token: string } };
      return { token: authentication.runtime_token, rest, invocation: each.headers['x-kiket-invocation'] };
    });
    expect(new Set(contents.map(({ rest, invocation }) => JSON.stringify([rest, invocation]))).size).toBe(1);
    expect(new Set(contents.map(({ token }) => token)).size).toBe(3);
  });

  it('should say when the next one is without --speed', async () => {
    const { url, requests } = await startReceiver(500, 200);
    const { stdout } = await send(['--to', url, '--retries', '20ms']);
    expect(stdout).toContain('  again in 20 ms\n');
    expect(requests).toHaveLength(2);
  });

  it.each([
    [[500], ['--retries', '1ms,1ms'], 3, 1],
    [[500, 422], ['--retries', '1ms,1ms'], 2, 1],
    [[500], [], 1, 1],
    [[500], ['workflow.before_transition', '--retries', '1ms'], 1, 1],
    [[500], ['--retries', '1ms', '--expect', 'retryable'], 2, 0],
    [[422], ['--retries', '1ms', '--expect', 'final'], 1, 0],
    [[409], ['--expect', '409'], 1, 0],
    [[404], ['--expect', '4xx'], 1, 0],
    [[204], ['--expect', '2xx'], 1, 0],
    [[204], ['--expect', '200'], 1, 1],
  ])('should be made for the statuses %j with %j: %d', async (statuses, args, count, code) => {
    const { url, requests } = await startReceiver(...statuses);
    expect((await send([...args, '--to', url])).code).toBe(code);
    expect(requests).toHaveLength(count);
  });

  describe('a hook of the project', () => {
    const hooked = async (hook: object, event: string, args: readonly string[] = [], status = 200) => {
      const paths: string[] = [];
      const { url } = await startServer((req, res) => {
        paths.push(req.url!);
        if (status !== 0) res.writeHead(status).end('{}');
      });
      const cwd = folderWith({ 'kiket.json': JSON.stringify({ url: `${url}/kiket`, events: { 'issue.*': hook } }) });
      const result = await send([event, ...args.map((arg) => arg.replace('URL', url))], { cwd });
      return { ...result, paths };
    };

    it.each([
      ['of the hook, in place of that of the receiver', { endpoint: '/created' }, 'issue.created', [], '/created'],
      ['of the receiver for another event', { endpoint: '/created' }, 'comment.created', [], '/kiket'],
      ['that --to names', { endpoint: '/created' }, 'issue.created', ['--to', 'URL/other'], '/other'],
      ['of the hook, when --to has none', { endpoint: '/created' }, 'issue.created', ['--to', 'URL'], '/created'],
    ])('should send to the path %s', async (_which, hook, event, args, path) => {
      expect(await hooked(hook, event, args)).toMatchObject({ code: 0, paths: [path] });
    });

    it('should have as many retries as the hook has at most', async () => {
      const { paths } = await hooked({ retries: 1 }, 'issue.created', ['--retries', '1ms,1ms,1ms'], 503);
      expect(paths).toHaveLength(2);
    });

    it('should have the time-out of the hook, unless an option says otherwise', async () => {
      const { stdout } = await hooked({ timeoutMs: 31 }, 'issue.created', [], 0);
      expect(stdout).toContain('no response within 31 ms');
      const other = await hooked({ timeoutMs: 60_000 }, 'issue.created', ['--timeout', '32ms'], 0);
      expect(other.stdout).toContain('no response within 32 ms');
    });
  });

  it('should say that the workflow goes on for an event that is not required', async () => {
    const { url } = await startReceiver(422);
    const cwd = folderWith({ 'kiket.json': JSON.stringify({ url, events: { 'issue.created': { required: false } } }) });
    expect((await send(['issue.created'], { cwd })).stdout).toContain('and the workflow goes on\n');
  });
});

describe('several deliveries of send', () => {
  it('should each have ids of their own, and be counted', async () => {
    const { url, requests } = await startReceiver(200, 500, 200);
    const { code, stdout } = await send(['--to', url, '--repeat', '3', '--interval', '1ms']);
    expect(new Set(requests.map(({ headers }) => headers['x-kiket-invocation'])).size).toBe(3);
    expect([code, stdout.endsWith('2 of 3 as wanted\n')]).toEqual([1, true]);
  });

  it('should run in parallel', async () => {
    const waiting: (() => void)[] = [];
    const { url } = await startServer((req, res) => {
      req.resume();
      waiting.push(() => res.end());
      if (waiting.length === 4) for (const respond of waiting) respond();
    });
    expect((await send(['--to', url, '--repeat', '4', '--parallel', '4'])).code).toBe(0);
  });

  it('should show progress on a terminal only', async () => {
    const { url } = await startReceiver();
    const args = ['--to', url, '--repeat', '2'];
    const onTerminal = await send(args, { isTerminal: true });
    expect(onTerminal.stderr).toContain('\r\u001B[K1 of 2');
    expect(onTerminal.stderr.endsWith('\r\u001B[K')).toBe(true);
    expect((await send(args)).stderr).toBe('');
    expect((await send([...args, '--quiet'], { isTerminal: true })).stderr).toBe('');
  });

  it('should say what was sent when the user interrupts it', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      if (counts.requests < 3) res.end();
    });
    const running = startCli(['send', '--to', url, '--repeat', '5'], { env });
    await until(() => counts.requests === 3, 'the third delivery');
    running.interrupt();
    expect(await running.ended).toMatchObject({ code: 3, stderr: 'interrupted: 2 deliveries were sent\n' });
  });

  it('should be interrupted while it waits for a retry', async () => {
    const { url, requests } = await startReceiver(500);
    const running = startCli(['send', '--to', url, '--retries', '10m'], { env });
    await until(() => running.output.stdout.includes('again in 10 min'), 'the first attempt');
    running.interrupt();
    expect(await running.ended).toMatchObject({ code: 3, stderr: 'interrupted: 1 delivery was sent\n' });
    expect(requests).toHaveLength(1);
  });

  it('should have the attempts so far in its document when the user interrupts it', async () => {
    const { url, counts } = await startServer((req, res) => {
      req.resume();
      if (counts.requests < 2) res.writeHead(500).end();
    });
    const running = startCli(['send', '--to', url, '--retries', '1ms,1ms', '--json'], { env });
    await until(() => counts.requests === 2, 'the second attempt');
    running.interrupt();
    const { stdout } = await running.ended;
    expect(JSON.parse(stdout)).toMatchObject({ deliveries: [{ attempts: [{ status: 500 }] }] });
  });

  it('should say what was sent before the target went away', async () => {
    const { url } = await startServer((req, res) => {
      req.resume().on('end', () => res.end());
      req.socket.once('close', () => void (req.socket as unknown as { server: { close(): void } }).server.close());
    });
    const { code, stderr } = await send(['--to', url, '--repeat', '3', '--interval', '100ms']);
    expect(code).toBe(3);
    expect(stderr).toMatch(/cannot be reached: nothing listens there\. Tried POST .*; 1 delivery was sent before\n$/);
  });
});

describe('send --probe', () => {
  it('should say which form of signature a receiver takes', async () => {
    const app = express();
    const refuse = ((error: { status: number }, _req, res, _next) => {
      res.status(error.status).end();
    }) as express.ErrorRequestHandler;
    app.post(
      '/kiket',
      kiket({ secret, signatureSchemes: ['body'] }),
      kiketHandler('*', () => undefined),
      refuse,
    );
    const { url } = await startServer(app);
    const args = ['--to', `${url}/kiket`, '--probe'];
    const { stdout } = await send(args);
    expect(stdout).toContain(
      'tried: body → 200, sha256=body → 200, timestamped → 401, sha256=timestamped → 401; kiket-express verify explains',
    );
    expect(JSON.parse((await send([...args, '--json'])).stdout)).toMatchObject({
      probed: [{ form: 'body', result: '200' }, {}, { form: 'timestamped', result: '401' }, {}],
    });
  });

  it('should do nothing after another response', async () => {
    const { url, requests } = await startReceiver(403);
    expect((await send(['--to', url, '--probe'])).stdout).not.toContain('tried');
    expect(requests).toHaveLength(1);
  });
});

describe('what send does not send', () => {
  const to = ['--to', 'http://localhost:1/kiket?a=1'];

  it('should be said with --dry-run, and written as JSON', async () => {
    expect(await send([...to, '--dry-run'])).toEqual({
      code: 0,
      stdout: expect.stringMatching(
        /^would send POST http:\/\/localhost:1\/kiket\?a=1 {3}\d+ bytes\nsigned: timestamped\n$/,
      ) as string,
      stderr: '',
    });
    const { stdout } = await send([...to, '--dry-run', '--json', '--tamper', 'duplicate']);
    const header = expect.arrayContaining(['X-Kiket-Signature']) as string[];
    const each = { method: 'POST', url: to[1], headers: header, bytes: expect.any(Number) as number };
    expect(JSON.parse(stdout)).toEqual({
      ...{ schema: 1, command: 'send', dryRun: true, scheme: 'timestamped' },
      requests: [each, each],
    });
    expect((await send([...to, '--dry-run'], { env: {} })).stdout).toContain('\nunsigned\n');
  });

  it('should be printed as the exact body', async () => {
    const { stdout } = await send(['a.http', ...to, '--print', 'body', '--raw'], {
      cwd: folderWith({ 'a.http': Buffer.concat([Buffer.from('POST / HTTP/1.1\r\n\r\n'), Buffer.from('{"a":1}\n')]) }),
    });
    expect(stdout).toBe('{"a":1}\n');
    const compact = await send([...to, '--print', 'body']);
    expect(compact.stdout.endsWith('}')).toBe(true);
    const onTerminal = await send([...to, '--print', 'body'], { isTerminal: true });
    expect(onTerminal.stdout.endsWith('}\n')).toBe(true);
  });

  it.each(['http', 'curl'])('should be printed as %s, which verify finds valid', async (form) => {
    for (const args of [
      [],
      ['--bom', '--newline', 'lf'],
      ['--set', "issue.title=It's \\ $HOME `x` é"],
      ['--header', 'X-Empty:'],
    ]) {
      const { stdout } = await send([...to, '--print', form, ...args]);
      const verified = await cli(['verify', '-'], { env, stdin: stdout });
      expect([args, verified.code, verified.stdout]).toEqual([args, 0, expect.stringContaining('signature is valid')]);
    }
  });

  it('should not be printed as curl when a shell cannot hold it', async () => {
    expect(await send([...to, '--print', 'curl', '--tamper', 'gzip'])).toMatchObject({
      code: 2,
      stderr: 'error: --print: curl needs a body that is text; http does not\n',
    });
  });

  it('should be printed as headers', async () => {
    const { stdout } = await send([...to, '--print', 'headers', '--headers', 'minimal', '--scheme', 'body']);
    expect(stdout).toMatch(
      /^Content-Type: application\/json\nAccept: application\/json\nX-Kiket-Signature: [\da-f]{64}\n$/,
    );
  });

  it('should be printed as a test without secrets, which passes', async () => {
    const args = [
      'issue.created',
      '--to',
      'http://localhost:1/kiket?version=1',
      '--project',
      '27',
      '--api',
      'http://localhost:4539',
    ];
    const options = { env: { ...env, KIKET_SECRET_TOKEN: 'canary_secret' } };
    const { stdout } = await send([...args, '--print', 'test'], options);
    for (const hidden of [secret, 'canary_secret', 'runtime_token']) expect(stdout).not.toContain(hidden);

    const received: unknown[] = [];
    const app = express();
    const keep = kiketHandler(({ event, projectId, secrets }) => {
      received.push([event, projectId, secrets.get('TOKEN')]);
      return { ok: true };
    });
    app.post('/kiket', kiket({ secret }), keep, kiketErrorHandler());
    const modules = { supertest: request };
    // The block defines both itself.
    const code = stdout.replace("const { app, secret } = require('./app');\n", '');
    expect(code).not.toBe(stdout);
    const [test] = runBlock(code, app, secret, express, { modules });
    await test!.run();
    expect(received).toEqual([['issue.created', 27, 'the TOKEN']]);
  });

  it('should be said to be sent otherwise than it is printed', async () => {
    const { stderr } = await send([...to, '--print', 'headers', '--tamper', 'slow']);
    expect(stderr).toBe('what is printed has the content of the request, and not the way in which --tamper sends it\n');
  });
});

describe('wrong usage of send', () => {
  const to = ['--to', 'http://localhost:1'];
  const files = { 'text.http': 'POST / HTTP/1.1\r\n\r\ntext', 'text.txt': 'text', 'a.json': '{"event":"a.b"}' };

  it.each([
    ['no receiver', [], 2, 'there is no receiver: name it with --to, or as url in kiket.json'],
    ['a name that is near an event', ['issue.create', ...to], 2, 'Did you mean "issue.created"?'],
    [
      'a file that does not exist',
      ['missing.json', ...to],
      2,
      '"missing.json" is neither a file, nor a delivery in .kiket/deliveries, nor an event',
    ],
    [
      'a file that is neither payload nor capture',
      ['text.txt', ...to],
      3,
      'text.txt is neither a payload nor a capture:\n  it is not a JSON object\n',
    ],
    [
      'a file that is not of --format',
      ['a.json', '--format', 'har', ...to],
      3,
      'a.json is neither a payload nor a capture',
    ],
    ['--set without a value', ['--set', 'a', ...to], 2, '--set must be a path and a value, but is "a"'],
    ['--set through a string', ['--set', 'event.a=1', ...to], 2, '"event.a" leads through "event", which is not'],
    [
      '--set for a body that is not a payload',
      ['text.http', '--set', 'a=1', ...to],
      2,
      '--set, --unset and --pretty need a body that is a JSON object',
    ],
    ['--raw and --set', ['a.json', '--raw', '--set', 'a=1', ...to], 2, "'--raw' cannot be used with option '--set"],
    ['a tampering that needs JSON', ['text.http', '--tamper', 'crlf', ...to], 2, '--tamper crlf: its body is not JSON'],
    [
      'a tampering that needs a timestamp',
      ['--tamper', 'stale', '--scheme', 'body', ...to],
      2,
      '--tamper stale: the scheme "body" signs no timestamp',
    ],
    ['an unknown tampering', ['--tamper', 'x', ...to], 2, 'Allowed choices are no-signature'],
    ['an unknown option', ['--expct', '200', ...to], 2, '(Did you mean --expect?)'],
    ['an unknown expectation', ['--expect', '2x', ...to], 2, 'It must be a status such as 409 or 2xx'],
    ['a header without a colon', ['--header', 'X', ...to], 2, "It must be 'Name: value'"],
    ['a header that HTTP does not allow', ['--header', 'X: \u{1F511}', ...to], 2, "It must be 'Name: value'"],
    ['a timestamp of words', ['--timestamp', 'yesterday', ...to], 2, 'It must be now, +SECONDS'],
    ['a schedule of words', ['--retries', 'daily', ...to], 2, 'It must be none, contract, docs, fast'],
    ['a time-out of words', ['--timeout', 'long', ...to], 2, 'It must be a duration such as 500ms'],
    ['no time', ['--timeout', '0s', ...to], 2, 'It must be a duration such as 500ms'],
    ['no delivery', ['--repeat', '0', ...to], 2, 'It must be an integer from 1 to 1000000'],
    ['half a delivery', ['--repeat', '0.5', ...to], 2, 'It must be an integer from 1 to 1000000'],
    ['a project that is not an id', ['--project', '0', ...to], 2, 'It must be a positive integer, or a string'],
    ['an API that is not a URL', ['--api', 'localhost:4539', ...to], 2, 'It must be an HTTP URL'],
    ['--print and --json', ['--print', 'http', '--json', ...to], 2, "cannot be used with option '--json'"],
    [
      '--print test without a payload',
      ['text.http', '--print', 'test', ...to],
      2,
      '--print: test needs a body that is a JSON object',
    ],
    ['two arguments', ['a', 'b', ...to], 2, 'too many arguments'],
    ['a file of secrets that is missing', ['--env-file', 'x', ...to], 3, 'x cannot be read: ENOENT'],
  ])('should be said: %s', async (_name, args, code, message) => {
    const result = await send(args, { cwd: folderWith(files) });
    expect([result.code, result.stdout]).toEqual([code, '']);
    expect(result.stderr).toContain(message);
    expect(result.stderr).not.toMatch(/\n {4}at /);
  });

  it('should be said without a secret for a tampering of signatures', async () => {
    const { code, stderr } = await send(['--tamper', 'signature-short', ...to], { env: {} });
    expect([code, stderr.split('\n').at(-2)]).toEqual([
      2,
      'error: --tamper signature-short: there is no delivery secret to sign with',
    ]);
  });

  it('should be a warning for an event of the extension itself', async () => {
    const { url, requests } = await startReceiver();
    const { code, stderr } = await send(['slack.sendMessage', '--to', url]);
    expect([code, stderr]).toEqual([
      0,
      'slack.sendMessage is not an event that Kiket documents: it is sent with an example issue\n',
    ]);
    expect(requests[0]!.headers['x-kiket-event']).toBe('slack.sendMessage');
  });

  it('should be a target that is not reached, also for a sender that leaves', async () => {
    const url = await closedOrigin();
    for (const args of [
      [],
      ['--tamper', 'disconnect-before-answer'],
      ['--retries', 'contract'],
      ['--parallel', '3', '--repeat', '9'],
    ]) {
      expect(await send(['--to', `${url}/kiket`, ...args])).toEqual({
        code: 3,
        stdout: '',
        stderr: `error: ${url} cannot be reached: nothing listens there. Tried POST ${url}/kiket\n`,
      });
    }
  });

  it('should be a receiver that does not respond in time', async () => {
    const { url } = await startServer((req) => void req.resume());
    const { code, stdout } = await send(['--to', url, '--timeout', '50ms']);
    expect(stdout).toMatch(/✗ no response in \d+ ms: no response within 50 ms\n/);
    expect(code).toBe(1);
  });
});
