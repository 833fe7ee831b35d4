import { chmodSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect, createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Capture } from '../../../lib/captures/capture';
import { parseCaptures } from '../../../lib/captures/parse';
import { cli, startCli, temporaryFolder, type RunningCli } from '../../support/cli';
import { closedOrigin, startServer } from '../../support/loopback-server';
import { joinedChunks, partsOf, RESPONSE, startRawReceiver } from '../../support/raw-receiver';
import { until } from '../../support/until';

const running: RunningCli[] = [];

interface Recording {
  readonly port: number;
  readonly cli: RunningCli;
  readonly file: string;
  /** The captures, as soon as there is one: responses are passed on before they are written. */
  readonly captures: () => Promise<Capture[]>;
  /** Ends it as Ctrl-C does. */
  readonly end: () => ReturnType<typeof cli>;
}

async function record(to: string, ...options: string[]): Promise<Recording> {
  const cwd = temporaryFolder();
  const started = startCli(['record', '--to', to, '--port', '0', ...options], { cwd });
  running.push(started);
  let port: string | undefined;
  await until(() => {
    port = /^http:\/\/127\.0\.0\.1:(\d+)\/\S* is passed on to/m.exec(started.output.stderr)?.[1];
    return port !== undefined;
  }, 'the recorder');
  const file = join(cwd, '.kiket/captures.jsonl');
  return {
    port: Number(port),
    cli: started,
    file,
    captures: async () => {
      await until(() => statSync(file).size > 0, 'a capture');
      return parseCaptures(readFileSync(file));
    },
    end: () => {
      started.interrupt();
      return started.ended;
    },
  };
}

afterEach(async () => {
  for (const each of running.splice(0)) {
    each.interrupt();
    await each.ended;
  }
});

/** Sends bytes on a connection of its own, and resolves to all bytes that come back. */
async function sendRaw(port: number, ...parts: readonly (string | Buffer)[]): Promise<Buffer> {
  const socket = connect(port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  for (const part of parts) socket.write(part);
  await once(socket, 'close');
  return Buffer.concat(chunks);
}

const lines = [
  'POST /kiket?version=v1 HTTP/1.1',
  'host: tunnel.example.com',
  'CONTENT-type: application/json;charset="utf-8"',
  'X-Twice: a',
  'x-kiket-SIGNATURE:   abc',
  'X-Latin: caf\xe9',
  'x-twice: b',
  'Connection: close',
];

/** The lines of a head as Node reads them: without blanks around values. */
const asRead = (head: string): string => head.replaceAll(/: +/g, ': ');

describe('record passes on', () => {
  const bodies: [string, Buffer][] = [
    ['no byte', Buffer.alloc(0)],
    ['a byte order mark and CR LF', Buffer.from('\uFEFF{\r\n"a": 1.0\r\n}\r\n')],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0x22, 0xe9, 0x00, 0xff, 0x7d, 0x0a])],
    ['500 KB', Buffer.alloc(500_000, '{"é":1}')],
  ];

  it.each(bodies)('should send the same bytes: %s', async (_, body) => {
    const receiver = await startRawReceiver();
    const { port, captures } = await record(receiver.url, '--keep-secrets');
    const head = [...lines, `Content-Length: ${body.length}`].join('\r\n');
    const response = await sendRaw(port, Buffer.from(`${head}\r\n\r\n`, 'latin1'), body);

    const sent = partsOf(receiver.received[0]!);
    const host = new URL(receiver.url).host;
    expect(sent.head).toBe(asRead(head).replace('tunnel.example.com', host));
    expect(sent.body.equals(body)).toBe(true);
    expect(response.toString()).toBe(RESPONSE);
    const [capture] = await captures();
    expect(capture!.body.equals(body)).toBe(true);
    expect(capture!.headers.map(([name, value]) => `${name}: ${value}`)).toEqual(asRead(head).split('\r\n').slice(1));
  });

  it('should send in chunks what comes in chunks, and note that', async () => {
    const receiver = await startRawReceiver();
    const { port, captures } = await record(receiver.url);
    const head = [...lines, 'transfer-Encoding: chunked'].join('\r\n');
    await sendRaw(port, Buffer.from(`${head}\r\n\r\n`, 'latin1'), '4;x=1\r\n{"a"\r\n', '3\r\n:1}\r\n0\r\n\r\n');

    const sent = partsOf(receiver.received[0]!);
    expect(sent.head).toBe(asRead(head).replace('tunnel.example.com', new URL(receiver.url).host));
    expect(joinedChunks(sent.body).toString()).toBe('{"a":1}');
    const [capture] = await captures();
    expect(capture!.body.toString()).toBe('{"a":1}');
    expect(capture!.headers).toContainEqual(['transfer-Encoding', 'chunked']);
  });

  it.each([
    [
      'headers in their order and spelling',
      'HTTP/1.1 422 Not So\r\nx-B: 1\r\nX-A: 2\r\nx-b: 3\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}',
    ],
    ['no header that the receiver has not sent', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n'],
    ['chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n3\r\nabc\r\n0\r\n\r\n'],
    ['a body that ends with the connection', 'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nabc'],
    [
      'a redirect',
      'HTTP/1.1 302 Found\r\nLocation: http://localhost/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    ],
    [
      'compressed bytes',
      Buffer.concat([
        Buffer.from('HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\nConnection: close\r\n\r\n'),
        Buffer.from([0x1f, 0x8b, 0xff]),
      ]),
    ],
  ])('should return the same response: %s', async (_, response) => {
    const receiver = await startRawReceiver(response);
    const { port } = await record(receiver.url);
    const request = [...lines, 'Content-Length: 2'].join('\r\n');
    expect((await sendRaw(port, `${request}\r\n\r\n{}`)).toString('latin1')).toBe(
      Buffer.from(response).toString('latin1'),
    );
  });

  it('should send a POST without a body, whose sender names no connection', async () => {
    const receiver = await startRawReceiver();
    const { port } = await record(receiver.url);
    await sendRaw(port, 'POST /kiket HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(partsOf(receiver.received[0]!).head).toBe(
      `POST /kiket HTTP/1.1\r\nHost: ${new URL(receiver.url).host}\r\nConnection: keep-alive\r\nContent-Length: 0`,
    );
  });

  it('should send a body as it arrives, and the response before the end of the body', async () => {
    const parts: string[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (bytes) => {
        parts.push(bytes.toString());
        if (bytes.includes('first'))
          socket.end('HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
      });
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    try {
      const { port, end } = await record(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
      const response = await sendRaw(port, 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nfirst');
      expect(response.toString()).toMatch(/^HTTP\/1\.1 413 Too Large/);
      expect((await end()).stderr).toContain('not captured: the body did not arrive as a whole');
    } finally {
      server.close();
    }
  });

  it('should break the connection to the receiver when the sender leaves', async () => {
    let hasLeft = false;
    const { url, counts } = await startServer((_, res) => res.on('close', () => (hasLeft = true)));
    const { port, captures, end } = await record(url, '--timeout', '60s');
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.write('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}');
    await until(() => counts.requests === 1);
    socket.destroy();
    await until(() => hasLeft);
    await end();
    expect((await captures())[0]).not.toHaveProperty('response');
  });
});

describe('record', () => {
  const post = (port: number, body: object, headers: Record<string, string> = {}) =>
    fetch(`http://127.0.0.1:${port}/kiket`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Connection: 'close', ...headers },
    });
  const payload = {
    event: 'issue.created',
    authentication: { runtime_token: 'canary_token' },
    secrets: { TOKEN: 'canary_secret' },
  };

  it('should say what comes, and how many it has captured when it is interrupted', async () => {
    const { url } = await startServer((_, res) => res.end('{"ok":true}'));
    const { port, end } = await record(url);
    await post(port, payload, { 'X-Kiket-Invocation': '3f6b0c', 'X-Kiket-Signature': 'abc' });
    const { code, stdout, stderr } = await end();
    expect(code).toBe(0);
    expect(stdout).toMatch(
      new RegExp(
        `^→ POST ${url}/kiket   issue\\.created   invocation 3f6b0c   body   \\d+ B\n← 200 in \\d+ ms   \\{"ok":true\\}\n  the delivery is complete\n  redacted in the file\n$`,
      ),
    );
    expect(stderr).toContain('1 request captured in .kiket/captures.jsonl, 1 of them redacted\n');
  });

  it.each(['//[', '//other.example/kiket', 'http://['])('should go on after a request for %s', async (target) => {
    const { url } = await startServer((_, res) => res.end('{"ok":true}'));
    const { port, end } = await record(url);
    const answer = await sendRaw(port, `POST ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    expect(answer.toString()).toContain('{"ok":true}');
    const { code, stdout } = await end();
    expect(code).toBe(0);
    expect(stdout).toContain(`→ POST ${target.startsWith('/') ? url : ''}${target}   `);
  });

  it('should keep no secret in the file, but pass it on', async () => {
    const received: string[] = [];
    const { url } = await startServer((req, res) => {
      req.on('data', (chunk: Buffer) => received.push(chunk.toString())).on('end', () => res.end());
    });
    const { port, file, captures } = await record(url);
    await post(port, payload, { Authorization: 'Bearer canary_bearer' });
    expect(received.join('')).toBe(JSON.stringify(payload));
    expect((await captures())[0]!.isRedacted).toBe(true);
    expect(readFileSync(file, 'utf8')).not.toContain('canary');
  });

  it('should keep secrets when that is wanted, and warn', async () => {
    const { url } = await startServer((_, res) => res.end());
    const { port, captures, end } = await record(url, '--keep-secrets');
    await post(port, payload);
    expect((await captures())[0]!.body.toString()).toBe(JSON.stringify(payload));
    expect((await end()).stderr).toContain('secrets and tokens are written as they come');
  });

  it('should append to a file that only its owner can read', async () => {
    const { url } = await startServer((_, res) => res.end());
    const cwd = temporaryFolder();
    mkdirSync(join(cwd, 'out'));
    const file = join(cwd, 'out/a.jsonl');
    writeFileSync(file, '');
    chmodSync(file, 0o644);
    for (const expected of [1, 2]) {
      const { port, end } = await record(url, '--out', file);
      await post(port, {});
      await end();
      expect(parseCaptures(readFileSync(file))).toHaveLength(expected);
    }
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('should write one JSON line for each event with --json', async () => {
    const { url } = await startServer((_, res) => res.writeHead(503).end('{}'));
    const { port, end } = await record(url, '--json');
    await post(port, payload, { 'X-Kiket-Event': 'issue.created' });
    const { stdout } = await end();
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as object);
    expect(events).toMatchObject([
      { schema: 1, command: 'record', type: 'listening', url: `http://127.0.0.1:${port}/`, to: `${url}/` },
      { type: 'captured', event: 'issue.created', status: 503, outcome: 'retryable', redacted: true },
      { type: 'ended', captured: 1, redacted: 1 },
    ]);
  });

  it('should respond with 502 while nothing listens at the receiver, and keep the request', async () => {
    const { port, captures, end } = await record(await closedOrigin());
    const response = await post(port, payload);
    expect([response.status, await response.json()]).toEqual([
      502,
      { error: { message: 'The recorder has no response to pass on: nothing listens there.' } },
    ]);
    expect((await captures())[0]).not.toHaveProperty('response');
    expect((await end()).stdout).toContain('no response in');
  });

  it('should respond with 502 when the receiver changes to another protocol', async () => {
    const { url } = await startRawReceiver('HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
    const { port } = await record(url);
    const response = await sendRaw(port, 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nUpgrade: x\r\n\r\n');
    expect(response.toString()).toMatch(/^HTTP\/1\.1 502 .*there is no HTTP response/s);
  });

  it('should respond with 504 when the receiver takes longer than the time limit', async () => {
    const { url } = await startServer(() => {});
    const { port } = await record(url, '--timeout', '200ms');
    const response = await post(port, payload);
    expect([response.status, await response.text()]).toEqual([
      504,
      expect.stringContaining('no response within 200 ms'),
    ]);
  });

  it('should break the connection when the response stops half-way', async () => {
    const { url } = await startServer((_, res) => res.writeHead(200, { 'Content-Length': '10' }).write('half'));
    const { port, captures } = await record(url, '--timeout', '300ms');
    await expect(post(port, payload).then((response) => response.text())).rejects.toThrow();
    expect((await captures())[0]).not.toHaveProperty('response');
  });

  it('should wait for requests under way when it is interrupted', async () => {
    let respond = (): void => {};
    const { url, counts } = await startServer((_, res) => (respond = () => res.end('late')));
    const { port, end, cli: started } = await record(url);
    const response = post(port, payload);
    await until(() => counts.requests === 1);
    const ended = end();
    await until(() => started.output.stderr.includes('waiting for 1 request under way'));
    respond();
    expect(await (await response).text()).toBe('late');
    expect((await ended).stderr).toContain('1 request captured');
  });

  it('should pass on a body of more than 10 MB without keeping it', async () => {
    let length = 0;
    const { url } = await startServer((req, res) => {
      req.on('data', (chunk: Buffer) => (length += chunk.length)).on('end', () => res.end());
    });
    const { port, end } = await record(url);
    await post(port, { padding: 'x'.repeat(11_000_000) });
    expect(length).toBeGreaterThan(11_000_000);
    expect((await end()).stderr).toMatch(/not captured: a body of more than 10 MB.*\n0 requests captured/s);
  });

  it('should end with 3 when the port is taken', async () => {
    const { url } = await startServer(() => {});
    const port = new URL(url).port;
    expect(await cli(['record', '--to', url, '--port', port])).toMatchObject({
      code: 3,
      stderr: `error: port ${port} cannot be used: EADDRINUSE. Name another one with --port\n`,
    });
  });

  it('should end with 3 when the file cannot be written', async () => {
    const cwd = temporaryFolder();
    writeFileSync(join(cwd, 'file'), '');
    const result = await cli(['record', '--to', 'localhost:1', '--out', 'file/a.jsonl'], { cwd });
    expect(result).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^error: file\/a\.jsonl cannot be written: \w+\n$/) as string,
    });
  });

  it.each([
    [[], 'there is no receiver: name it with --to'],
    [['--to', 'https://example.com/kiket'], 'example.com is not this machine'],
    [
      ['--to', 'localhost:1', '--redact', '--keep-secrets'],
      "option '--redact' cannot be used with option '--keep-secrets'",
    ],
    [['--to', 'localhost:1', '--port', '70000'], 'It must be an integer from 0 to 65535.'],
  ])('should end with 2 for wrong usage: %j', async (args, message) => {
    const { code, stderr } = await cli(['record', ...args]);
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
