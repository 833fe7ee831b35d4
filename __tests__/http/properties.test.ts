import { createServer, type Server } from 'node:http';
import fc from 'fast-check';
import {
  allow,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketEvents,
  type KiketReply,
} from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import type { Express as Application } from 'express';
import { example, secret } from '../support/deliver';
import { describeMajors, describeNewest, type Express } from '../support/express';
import { close, listen } from '../support/loopback-server';
import { sendOver, type RawRequest } from '../support/raw-http';

type Delivery = ReturnType<typeof signDelivery>;

const schemes = ['body', 'timestamped'] as const;
const text = JSON.stringify({ ...example, note: 'é 🚀' });

/** Ways to mount the package, by path. All must end every request. */
function makeApp(express: Express): Application {
  const app = express();
  app.set('env', 'test');
  const done = kiketHandler(() => ({ ok: true }));
  const events = kiketEvents()
    .on(['issue.created', 'workflow.sla_status@1'], () => ({ ok: true }))
    .on('workflow.before_transition', () => allow())
    .on('a.*', { scopes: ['a.read', 'a.write'] }, () => ({ ok: true }))
    .on('*', { scopes: ['*'] }, () => undefined)
    .otherwise('ignore');
  app.use('/whole', kiket({ secret, limit: 5000 }), done);
  app.use('/whole/:event/:version', kiket({ secret }), done);
  app.use('/events', kiket({ secret, limit: 5000 }), events);
  app.use('/events/:event/:version', kiket({ secret }), events);
  app.use('/observe-events', kiket({ secret, reportOnly: true, limit: 5000 }), events);
  app.use('/parts', kiketRespond(), kiketRawBody({ limit: 5000 }), kiketVerify(secret), kiketParse(), done);
  app.use('/verify', kiketVerify(secret), express.json(), (_req, res) => void res.json({ ok: true }));
  app.use('/observe', kiket({ secret, reportOnly: true, limit: 5000 }), express.json({ strict: false }), done);
  app.use(
    '/observe-raw',
    kiketVerify(secret, { reportOnly: true }),
    express.raw({ type: () => true }),
    (_req, res) => void res.json({ ok: true }),
  );
  app.use('/optional', kiket({ secret, signatureRequired: false }), express.text({ type: () => true }), done);
  app.use(kiketErrorHandler());
  return app;
}

const paths = [
  '/whole',
  '/whole/a.b/v1',
  '/events',
  '/events/a.b/v1',
  '/observe-events',
  '/parts',
  '/verify',
  '/observe',
  '/observe-raw',
  '/optional',
  '/nowhere',
];
/** Routes that accept only signed deliveries with events of the contract. */
const strict = ['/whole', '/events', '/parts', '/verify'];

// The characters that Node's parser accepts in a header: Latin-1 without control characters.
const headerValue = fc.oneof(
  fc.string({
    unit: fc
      .integer({ min: 0x20, max: 0xff })
      .filter((code) => code !== 0x7f)
      .map((code) => String.fromCharCode(code)),
    maxLength: 80,
  }),
  fc.constantFrom(
    '',
    '0',
    '-1',
    '1e400',
    '99999999999999999999',
    'v1',
    '2',
    'a,b',
    '__proto__',
    'constructor',
    'undefined',
  ),
  fc.string({ unit: fc.constantFrom(...'0123456789abcdefABCDEF'), minLength: 64, maxLength: 64 }),
);
const ours = ['Signature', 'Timestamp', 'Event', 'Event-Version', 'Invocation', 'Delivery', 'Project', 'Organization'];
const headers = fc.dictionary(
  fc.constantFrom(...ours.map((name) => `X-Kiket-${name}`), 'Content-Type', 'Content-Encoding', 'Accept', 'X-Other'),
  headerValue,
);
const query = fc.oneof(
  fc.constant(''),
  fc.webQueryParameters().map((parameters) => `?${parameters}`),
  fc.constantFrom('?event=%', '?event=a&event=b', '?event[x]=1', '?version=%00', '??'),
);
const requestPath = fc
  .tuple(fc.constantFrom(...paths), fc.oneof(fc.constant(''), fc.webPath()), query)
  .map((parts) => parts.join(''));
const json = fc.oneof(
  fc.json(),
  fc.json().map((value) => `{"event":${value},"secrets":${value},"authentication":${value}}`),
);
const body = fc.oneof(
  fc.uint8Array({ maxLength: 8000 }).map((bytes) => Buffer.from(bytes)),
  json.map((value) => Buffer.from(value)),
  fc
    .record(
      {
        event: fc.string(),
        event_version: fc.string(),
        secrets: fc.dictionary(fc.string(), fc.string()),
        context: fc.object(),
      },
      { requiredKeys: [] },
    )
    .map((value) => Buffer.from(JSON.stringify(value))),
);
const framing = fc.record({ framing: fc.constantFrom('length' as const, 'chunked' as const), atOnce: fc.boolean() });
const method = fc.constantFrom('POST', 'POST', 'POST', 'PUT', 'GET', 'DELETE', 'OPTIONS');

/** A delivery with one change after it was signed. */
type Mutation = (delivery: { body: Buffer; headers: Record<string, string> }) => {
  body?: Buffer;
  headers?: Record<string, string>;
};

const flip = (bytes: Buffer, bit: number): Buffer => {
  const flipped = Buffer.from(bytes);
  const at = bit % (bytes.length * 8);
  flipped[at >> 3]! ^= 1 << (at & 7);
  return flipped;
};
const place = fc.nat({ max: 2 ** 20 });
const someBytes = fc.uint8Array({ minLength: 1, maxLength: 20 }).map((bytes) => Buffer.from(bytes));

const mutation: fc.Arbitrary<[string, Mutation]> = fc.oneof(
  place.map((bit): [string, Mutation] => ['a bit of the body', ({ body }) => ({ body: flip(body, bit) })]),
  place.map((bit): [string, Mutation] => [
    'a bit of the signature',
    ({ headers }) => ({
      headers: { 'X-Kiket-Signature': flip(Buffer.from(headers['X-Kiket-Signature']!, 'hex'), bit).toString('hex') },
    }),
  ]),
  fc
    .integer({ min: -300, max: 300 })
    .filter((seconds) => seconds !== 0)
    .map((seconds): [string, Mutation] => [
      'another timestamp',
      ({ headers }) => ({
        headers: {
          'X-Kiket-Timestamp': String(Number(headers['X-Kiket-Timestamp'] ?? Math.floor(Date.now() / 1000)) + seconds),
        },
      }),
    ]),
  fc.constantFrom('0', '00', '+', ' ', '0x').map((prefix): [string, Mutation] => [
    'another spelling of the timestamp',
    ({ headers }) => {
      const timestamp = headers['X-Kiket-Timestamp'];
      // With a signature of the body alone, only digits count as a timestamp.
      if (timestamp === undefined) return { headers: { 'X-Kiket-Timestamp': `0${Math.floor(Date.now() / 1000)}` } };
      return { headers: { 'X-Kiket-Timestamp': prefix === ' ' ? `${timestamp}.0` : prefix + timestamp } };
    },
  ]),
  place.map((at): [string, Mutation] => ['truncation', ({ body }) => ({ body: body.subarray(0, at % body.length) })]),
  place.map((at): [string, Mutation] => [
    'a lost head',
    ({ body }) => ({ body: body.subarray(1 + (at % body.length)) }),
  ]),
  fc.tuple(place, someBytes).map(([at, inserted]): [string, Mutation] => [
    'insertion',
    ({ body }) => {
      const where = at % (body.length + 1);
      return { body: Buffer.concat([body.subarray(0, where), inserted, body.subarray(where)]) };
    },
  ]),
  fc
    .constantFrom(' ', '\n', '\r\n', '\t', '\0', '\ufeff')
    .map((space): [string, Mutation] => [
      'white space',
      ({ body }) => ({ body: Buffer.concat([body, Buffer.from(space)]) }),
    ]),
  place.map((at): [string, Mutation] => [
    'a signature that is cut',
    ({ headers }) => ({ headers: { 'X-Kiket-Signature': headers['X-Kiket-Signature']!.slice(0, at % 64) } }),
  ]),
);

/** Changes to the timestamp of a captured delivery; `undefined` omits the header. */
type ToHeader = (timestamp: string) => string | undefined;

const timestampHeader = fc.oneof(
  fc.constant<ToHeader>(() => undefined),
  fc.constant<ToHeader>((timestamp) => timestamp),
  headerValue.map(
    (value): ToHeader =>
      () =>
        value,
  ),
  fc.tuple(headerValue, headerValue).map(
    ([before, after]): ToHeader =>
      (timestamp) =>
        before + timestamp + after,
  ),
  fc.constant<ToHeader>((timestamp) => new Date(Number(timestamp) * 1000).toISOString()),
  fc.constant<ToHeader>((timestamp) => `${timestamp}\r\nX-Kiket-Timestamp: ${timestamp}`),
);

/** Changes to its body: the bytes that were signed, and similar ones. */
const neighbours: ((timestamp: string, body: string) => string)[] = [
  (_timestamp, body) => body,
  (timestamp, body) => `${timestamp}.${body}`,
  (timestamp, body) => ` ${timestamp}.${body}`,
  (timestamp, body) => `\ufeff${timestamp}.${body}`,
  (timestamp, body) => `0${timestamp}.${body}`,
  (timestamp, body) => `${timestamp.slice(1)}.${body}`,
  (timestamp, body) => `${timestamp}.${body}\n`,
  (_timestamp, body) => `.${body}`,
  (timestamp, body) => `${timestamp}.${timestamp}.${body}`,
];

const guard = 'workflow.before_transition';
// Few words, so that patterns and events often match.
const segment = fc.constantFrom('a', 'b', 'c', '__proto__', 'workflow', '');
const name = fc.oneof(
  { weight: 5, arbitrary: fc.array(segment, { minLength: 1, maxLength: 4 }).map((segments) => segments.join('.')) },
  { weight: 1, arbitrary: fc.constant(guard) },
);
const version = fc.constantFrom('1', 'v1', '2', 'v2', 'beta');
const pattern = fc
  .oneof(
    name,
    fc.tuple(name, version).map((parts) => parts.join('@')),
    name.map((prefix) => `${prefix}.*`),
    fc.constant('*'),
  )
  .filter((text) => !['', '.*'].includes(text) && !text.startsWith('@'));
const withV = (text: string): string => text.replace(/^(?=\d+$)/, 'v');
/** `a@2` and `a@v2` are equal. */
const keyOf = (text: string): string => text.replace(/@.*/, (at) => `@${withV(at.slice(1))}`);
const registrations = fc.uniqueArray(pattern, { selector: keyOf, maxLength: 8 });

/** The pattern that takes an event by the documentation: the most specific of those that match. */
function takerOf(patterns: readonly string[], event: string, eventVersion: string): string | undefined {
  const byPrefix = patterns
    .filter((each) => each.endsWith('*') && event.startsWith(each.slice(0, -1)) && event !== guard)
    .sort((one, other) => other.length - one.length);
  const byVersion = patterns.find((each) => keyOf(each) === `${event}@${withV(eventVersion)}`);
  return byVersion ?? patterns.find((each) => each === event) ?? byPrefix[0];
}

describeMajors('any input', (express) => {
  let server: Server;
  let port: number;
  beforeAll(async () => {
    server = createServer(makeApp(express));
    port = await listen(server);
  });
  afterAll(() => close(server));

  async function statusOf(request: RawRequest): Promise<number> {
    const response = await sendOver(port, request);
    return Number(/^HTTP\/1\.1 (\d{3}) /.exec(response)?.[1] ?? 0);
  }

  it('should never be accepted when it is a signed delivery that was changed', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...schemes),
      mutation,
      fc.constantFrom(...strict),
      async (scheme, [, mutate], path) => {
        const delivery: Delivery = signDelivery(text, { secret, scheme });
        const signed = { body: Buffer.from(delivery.body), headers: delivery.headers };
        const changed = mutate(signed);
        const status = await statusOf({
          path,
          body: changed.body ?? signed.body,
          headers: { ...signed.headers, ...changed.headers },
        });
        expect(status).toBe(401);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('should be accepted when it is a signed delivery as it was signed', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...schemes),
      fc.object({ key: fc.string() }),
      framing,
      fc.constantFrom(...strict),
      async (scheme, context, how, path) => {
        const delivery = signDelivery({ event: 'issue.created', context }, { secret, scheme });
        expect(await statusOf({ path, ...delivery, ...how })).toBe(200);
      },
    );
    await fc.assert(property, { numRuns: 100 });
  });

  it.each(strict)('should not accept a timestamped delivery as one whose body alone is signed: %s', async (path) => {
    const delivery = signDelivery(text, { secret, timestampSeconds: 1_700_000_000 });
    const headers = { ...delivery.headers, 'X-Kiket-Timestamp': undefined, 'Content-Type': 'text/plain' };
    const body = `1700000000.${delivery.body}`;
    expect(await statusOf({ path, headers, body })).toBe(401);
  });

  it('should never pass as signed without a timestamp when it was signed with one', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: -300, max: 300 }),
      timestampHeader,
      fc.constantFrom(...neighbours),
      fc.constantFrom(...strict),
      async (age, toHeader, toBody, path) => {
        const timestampSeconds = Math.floor(Date.now() / 1000) - age;
        const delivery = signDelivery(text, { secret, timestampSeconds });
        const timestamp = toHeader(String(timestampSeconds))?.trim();
        const body = toBody(String(timestampSeconds), text);
        fc.pre(!(timestamp === String(timestampSeconds) && body === text));
        const headers = { ...delivery.headers, 'X-Kiket-Timestamp': timestamp };
        expect(await statusOf({ path, headers, body })).toBe(401);
      },
    );
    await fc.assert(property, { numRuns: 300 });
  });

  it('should end in one finished response, without an uncaught error', async () => {
    const property = fc.asyncProperty(
      method,
      requestPath,
      headers,
      body,
      framing,
      fc.boolean(),
      async (verb, path, odd, bytes, how, signed) => {
        const signature = signed ? signDelivery(bytes, { secret }).headers : {};
        const status = await statusOf({ method: verb, path, headers: { ...odd, ...signature }, body: bytes, ...how });
        expect(status).toBeGreaterThanOrEqual(200);
      },
    );
    await fc.assert(property, { numRuns: 500 });
  });

  it('should end in one finished response with a signed payload of any shape and odd headers', async () => {
    const property = fc.asyncProperty(
      fc.constantFrom(...paths),
      query,
      headers,
      json,
      async (path, search, odd, value) => {
        const delivery = signDelivery(value, { secret });
        const status = await statusOf({
          path: path + search,
          headers: { ...odd, ...delivery.headers },
          body: delivery.body,
        });
        expect(status).toBeGreaterThanOrEqual(200);
        if (status >= 500) expect(path).toBe('/nowhere');
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });
});

describeNewest('any event', (express) => {
  it('should be handed to the most specific of any registrations', async () => {
    let events: KiketEvents;
    const app = express().post('/', kiket({ secret }), (req, res, next) => events(req, res, next));
    app.use(kiketErrorHandler());
    const router = createServer(app);
    const routerPort = await listen(router);
    const property = fc.asyncProperty(
      registrations,
      name.filter((text) => text !== ''),
      version,
      fc.boolean(),
      async (patterns, event, event_version, isSaid) => {
        events = kiketEvents();
        if (isSaid) events.otherwise((): KiketReply => ({ status: 'allow', by: 'otherwise' }));
        for (const each of patterns) events.on(each, (): KiketReply => ({ status: 'allow', by: each }));
        const delivery = signDelivery({ event, event_version }, { secret });
        const response = await sendOver(routerPort, { path: '/', ...delivery, atOnce: true });
        const by = takerOf(patterns, event, event_version) ?? (isSaid ? 'otherwise' : undefined);
        const text = response.slice(response.indexOf('\r\n\r\n') + 4);
        if (by === undefined) expect(text).toContain('"event.unhandled"');
        else expect(JSON.parse(text)).toEqual({ status: 'allow', by });
      },
    );
    try {
      await fc.assert(property, { numRuns: 500 });
    } finally {
      await close(router);
    }
  });
});
