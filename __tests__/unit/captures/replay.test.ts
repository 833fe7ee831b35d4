import type { Capture } from '../../../lib/captures/capture';
import {
  exactRequest,
  redactedSecrets,
  replayUrl,
  signedRequests,
  type ReplayPlan,
} from '../../../lib/captures/replay';
import { headerOf, type HeaderLine } from '../../../lib/sending/http-message';
import { signatureOf } from '../../../lib/sending/sign';
import { findTampering } from '../../../lib/sending/tamper';

const secret = 'whsec_canary_signing_secret';
const url = 'http://localhost:3000/kiket';

const headers: HeaderLine[] = [
  ['Host', 'tunnel.example.com'],
  ['x-KIKET-event', 'issue.created'],
  ['X-Twice', 'a'],
  ['X-Kiket-Timestamp', '1700000000'],
  ['X-Twice', 'b'],
  ['X-Kiket-Signature', `sha256=${'0'.repeat(64)}`],
  ['Content-Type', 'application/json; charset=utf-8'],
  ['X-Kiket-Invocation', '3f6b0c'],
  ['Connection', 'keep-alive'],
  ['Content-Length', '21'],
];

const captureOf = (body: string, change: Partial<Capture> = {}): Capture => ({
  method: 'POST',
  url: '/kiket',
  headers,
  body: Buffer.from(body),
  ...change,
});

const planOf = (change: Partial<ReplayPlan> = {}): ReplayPlan => ({
  isFresh: false,
  hasNewInvocation: false,
  secret,
  scheme: undefined,
  timestampSeconds: 1_800_000_000,
  secrets: {},
  headers: {},
  edit: undefined,
  tampering: undefined,
  ...change,
});

function replayed(body: string, plan: Partial<ReplayPlan> = {}, change: Partial<Capture> = {}) {
  const [request] = signedRequests(captureOf(body, change), url, planOf(plan));
  return { ...request!, text: request!.body.toString(), header: (name: string) => headerOf(request!.headers, name) };
}

describe('replayUrl', () => {
  it.each([
    ['/kiket?version=v1', 'http://localhost:3000', 'http://localhost:3000/kiket?version=v1'],
    ['/kiket?version=v1', 'http://localhost:3000/hook', 'http://localhost:3000/hook'],
    ['https://example.com/kiket?a=1', 'http://localhost:3000/', 'http://localhost:3000/kiket?a=1'],
    ['//evil.example/x', 'http://localhost:3000/', 'http://localhost:3000/x'],
  ])('should send %s with the receiver %s to %s', (captured, target, expected) => {
    expect(replayUrl(captureOf('', { url: captured }), new URL(target))).toBe(expected);
  });
});

describe('exactRequest', () => {
  it('should keep order, spelling and values, apart from the host and the length', () => {
    const request = exactRequest(captureOf('{"event": "x"}'), url);
    const expected = headers.map(([name, value]) => [
      name,
      name === 'Host' ? 'localhost:3000' : name === 'Content-Length' ? '14' : value,
    ]);
    expect(request.headers).toEqual(expected);
    expect(request.transfer).toEqual({ isChunked: false });
  });

  it('should send in chunks what came in chunks', () => {
    const chunked: HeaderLine[] = [...headers, ['transfer-encoding', 'chunked']];
    const request = exactRequest(captureOf('{}', { headers: chunked }), url);
    expect(request.transfer).toEqual({ isChunked: true });
    expect(headerOf(request.headers, 'Content-Length')).toBeUndefined();
  });
});

describe('signedRequests', () => {
  const body = '{ "event": "issue.created", "n": 9007199254740993 }\r\n';

  it('should sign the same bytes at the new time, with headers in their places', () => {
    const { text, headers: sent } = replayed(body);
    expect(text).toBe(body);
    const [timestamp, mac] = signatureOf(secret, Buffer.from(body), {
      scheme: 'timestamped',
      prefix: 'sha256=',
      timestampSeconds: 1_800_000_000,
    });
    expect(sent).toEqual([
      ['x-KIKET-event', 'issue.created'],
      ['X-Twice', 'a'],
      timestamp,
      ['X-Twice', 'b'],
      mac,
      ['Content-Type', 'application/json; charset=utf-8'],
      ['X-Kiket-Invocation', '3f6b0c'],
    ]);
  });

  it.each<[string, HeaderLine[], Partial<ReplayPlan>, boolean]>([
    [
      'both, as captured',
      [
        ['X-Kiket-Timestamp', '1'],
        ['X-Kiket-Signature', '0'],
      ],
      {},
      true,
    ],
    ['the body alone, as captured', [['X-Kiket-Signature', '0']], {}, false],
    ['both, when the capture is unsigned', [], {}, true],
    ['the body alone, when that is wanted', [['X-Kiket-Timestamp', '1']], { scheme: 'body' }, false],
  ])('should sign %s', (_, captured, plan, isTimestamped) => {
    const { header } = replayed(body, plan, { headers: captured });
    expect(header('X-Kiket-Timestamp') !== undefined).toBe(isTimestamped);
    expect(header('X-Kiket-Signature')).toMatch(/^[\da-f]{64}$/);
  });

  it('should send one signature for several that were captured', () => {
    const twice = [...headers, ['X-KIKET-Signature', '0']] as HeaderLine[];
    const names = replayed(body, {}, { headers: twice }).headers.map(([name]) => name.toLowerCase());
    expect(names.filter((name) => name === 'x-kiket-signature')).toHaveLength(1);
  });

  it('should send no signature without a secret', () => {
    const { header } = replayed(body, { secret: undefined });
    expect([header('X-Kiket-Signature'), header('X-Kiket-Timestamp')]).toEqual([undefined, undefined]);
  });

  it('should leave out redacted headers, or send those of the project', () => {
    const redacted: HeaderLine[] = [
      ['Authorization', '[redacted]'],
      ['Cookie', '[redacted]'],
    ];
    const { header } = replayed(body, { headers: { authorization: 'Bearer new' } }, { headers: redacted });
    expect([header('Authorization'), header('Cookie')]).toEqual(['Bearer new', undefined]);
  });

  it('should renew token, expiry and secrets as a retry does, and leave all other bytes', () => {
    const { text, header } = replayed(
      '{"n":1.0, "authentication": {"runtime_token":"old", "expires_at":"2020-01-01T00:00:00Z","scopes":["*"]},"secrets":{"A":"[redacted]", "B":"b"} }',
      { isFresh: true, secrets: { A: 'new "a"', C: 'c' } },
    );
    const [, token, expiresAt] =
      /^\{"n":1\.0, "authentication": \{"runtime_token":"([\w-]{32})", "expires_at":"([^"]+)","scopes":\["\*"\]\},"secrets":\{"A":"new \\"a\\"", "B":"b"\} \}$/.exec(
        text,
      ) ?? [];
    expect(token).not.toBe('old');
    expect(Date.parse(expiresAt!)).toBeGreaterThan(Date.now());
    expect(header('X-Kiket-Invocation')).toBe('3f6b0c');
  });

  it('should give every attempt its own token', () => {
    const payload = '{"authentication":{"runtime_token":"old"}}';
    expect(replayed(payload, { isFresh: true }).text).not.toBe(replayed(payload, { isFresh: true }).text);
  });

  describe('with a new invocation', () => {
    const plan = { hasNewInvocation: true };
    const uuid = /^[\da-f]{8}-[\da-f-]{27}$/;

    it('should replace the header, and leave the body', () => {
      const { header, text } = replayed('{"id":"a","event":"x"}', plan);
      expect(header('X-Kiket-Invocation')).toMatch(uuid);
      expect(text).toBe('{"id":"a","event":"x"}');
    });

    it('should replace the id of the delivery in the header', () => {
      const { headers: sent } = replayed('{"event":"x"}', plan, { headers: [['X-Kiket-Delivery', 'a']] });
      expect(headerOf(sent, 'X-Kiket-Delivery')).toMatch(uuid);
      expect(headerOf(sent, 'X-Kiket-Invocation')).toBeUndefined();
    });

    it('should replace the id in the body of envelopes that have it there', () => {
      const { text, header } = replayed('{"id":"evt_1","type":"x","data":{"id":1}}', plan, { headers: [] });
      expect(text).toMatch(/^\{"id":"[\da-f-]{36}","type":"x","data":\{"id":1\}\}$/);
      expect(header('X-Kiket-Invocation')).toBeUndefined();
    });

    it('should add the header when nothing names the delivery', () => {
      expect(replayed('{"event":"x"}', plan, { headers: [] }).header('X-Kiket-Invocation')).toMatch(uuid);
    });
  });

  it('should change the payload before it signs', () => {
    const { text, header } = replayed('{"a": 1}', { edit: (payload) => ({ ...payload, b: 2 }) });
    expect(text).toBe('{"a":1,"b":2}');
    const [, mac] = signatureOf(secret, Buffer.from(text), {
      scheme: 'timestamped',
      prefix: 'sha256=',
      timestampSeconds: 1_800_000_000,
    });
    expect(header('X-Kiket-Signature')).toBe(mac![1]);
  });

  it('should refuse to change a body that is not a JSON object', () => {
    expect(() => replayed('[1]', { edit: (payload) => payload })).toThrow(
      new RangeError('its body is not a JSON object'),
    );
  });

  it.each<[string, (sent: ReturnType<typeof replayed>) => unknown, unknown]>([
    ['no-signature', ({ header }) => header('X-Kiket-Signature'), undefined],
    ['signature-repeated', ({ headers: sent }) => sent.filter(([name]) => name === 'X-Kiket-Signature').length, 2],
    ['event-header-conflict', ({ header }) => header('x-kiket-event'), 'extension.installation'],
    ['organization-changed', ({ header }) => header('X-Kiket-Organization'), '990099'],
    ['timestamp-dropped', ({ header }) => header('X-Kiket-Timestamp'), undefined],
    ['gzip', ({ header }) => header('Content-Encoding'), 'gzip'],
    ['chunked', ({ transfer }) => transfer?.isChunked, true],
    ['stale', ({ header }) => header('X-Kiket-Timestamp'), '1799999400'],
  ])('should tamper with what is sent: %s', (name, read, expected) => {
    expect(read(replayed('{"a":1}', { tampering: findTampering(name) }))).toBe(expected);
  });

  it('should make two requests of a duplicate', () => {
    expect(signedRequests(captureOf('{}'), url, planOf({ tampering: findTampering('duplicate') }))).toHaveLength(2);
  });

  it('should refuse a tampering that needs JSON when the body is not', () => {
    expect(() => replayed('text', { tampering: findTampering('reserialised') })).toThrow(/^its body is not JSON$/);
  });
});

describe('redactedSecrets', () => {
  it('should name the keys whose values were removed', () => {
    expect(redactedSecrets(captureOf('{"secrets":{"A":"[redacted]","B":"b"},"C":"[redacted]"}'))).toEqual(['A']);
  });
});
