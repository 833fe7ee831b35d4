import { text } from 'node:stream/consumers';
import type { Request } from 'express';
import {
  captureRawBody,
  kiketErrorHandler,
  kiketParse,
  kiketRawBody,
  kiketVerify,
  type KiketMiddleware,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { pairs } from '../../support/pairs';
import { chains, deliverTwice, expectReceived, payloadOf, receiver, sizes } from '../../support/receiver';
import { signedRequest, type Framing } from '../../support/signed-request';

/** Body parsers that a service may have behind ours. */
const parsers: Record<string, (express: Express) => KiketMiddleware> = {
  'express.json()': (express) => express.json({ limit: '1mb' }),
  'express.json({ verify })': (express) => express.json({ limit: '1mb', verify: captureRawBody }),
  'express.raw()': (express) => express.raw({ type: '*/*', limit: '1mb' }),
  'express.text()': (express) => express.text({ type: '*/*', limit: '1mb' }),
  'express.urlencoded()': (express) => express.urlencoded({ type: '*/*', limit: '1mb', extended: false }),
};

const mounts: Record<
  string,
  (stage: KiketMiddleware, stages: KiketMiddleware[]) => { before: KiketMiddleware[]; stages: KiketMiddleware[] }
> = {
  'for the application': (stage, stages) => ({ before: [stage], stages }),
  'in the route': (stage, stages) => ({ before: [], stages: [stage, ...stages] }),
};

/** Ways in which a service's own handler may read a body that was not parsed. */
const readers: Record<string, (req: Request) => Promise<string>> = {
  'for await': (req) => text(req),
  "'data' and 'end'": (req) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      req.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => resolve(Buffer.concat(chunks).toString()));
    }),
  "'readable' and read()": (req) =>
    new Promise((resolve) => {
      const chunks: Buffer[] = [];
      req.on('readable', () => {
        for (let chunk = req.read() as Buffer | null; chunk; chunk = req.read() as Buffer | null) chunks.push(chunk);
      });
      req.on('end', () => resolve(Buffer.concat(chunks).toString()));
    }),
  'a later turn of the event loop': async (req) => {
    await new Promise(setImmediate);
    return text(req);
  },
};

const framings: Framing[] = ['length', 'chunked'];

type Consumer = (express: Express) => {
  parser?: KiketMiddleware;
  handler?: (req: Request) => unknown;
  verify?: KiketMiddleware;
  /** The expected result for a body. */
  expected?: (body: string) => unknown;
};

const parseJson = (body: string): unknown => JSON.parse(body);

/** Consumers of the body behind kiketVerify. */
const consumers: Record<string, Consumer> = {
  'express.json()': (express) => ({ parser: parsers['express.json()']!(express), expected: parseJson }),
  'express.json() after a look-up of the secret': (express) => ({
    parser: parsers['express.json()']!(express),
    verify: kiketVerify(() => new Promise((resolve) => setImmediate(resolve, secret))),
    expected: parseJson,
  }),
  'express.text()': (express) => ({ parser: parsers['express.text()']!(express) }),
  'express.raw()': (express) => ({
    parser: parsers['express.raw()']!(express),
    handler: (req) => (req.body as Buffer).toString(),
  }),
  'a handler that ignores it': () => ({ handler: () => 'not read', expected: () => 'not read' }),
  ...Object.fromEntries(
    Object.entries(readers).map(([name, handler]): [string, Consumer] => [`a handler of ${name}`, () => ({ handler })]),
  ),
};

const consumed = pairs({
  consumer: Object.keys(consumers),
  mounted: Object.keys(mounts),
  size: Object.keys(sizes) as (keyof typeof sizes)[],
  framing: framings,
});

describeMajors('a body parser after kiketVerify', (express) => {
  it.each(consumed)('should leave $size, $framing, to $consumer, mounted $mounted', async (row) => {
    const body = JSON.stringify(payloadOf(sizes[row.size]));
    const { parser, handler = (req) => req.body as unknown, ...rest } = consumers[row.consumer]!(express);
    const { verify = kiketVerify(secret), expected = (sent) => sent } = rest;
    const app = express();
    const { before, stages } = mounts[row.mounted]!(verify, parser ? [parser] : []);
    for (const stage of before) app.use(stage);
    app.post('/kiket', ...stages, (req, res, next) => {
      Promise.resolve(handler(req)).then((found) => res.json({ found }), next);
    });
    const responses = await deliverTwice(app, body, { framing: row.framing });
    const found = responses.map((response) => response && (JSON.parse(response.text) as { found?: unknown }).found);
    expect(found).toEqual([expected(body), expected(body)]);
  });

  it.each(framings)('should refuse a body over the limit of the parser with 413 (%s)', async (framing) => {
    const app = express();
    app.set('env', 'test');
    app.post('/kiket', kiketVerify(secret), express.json({ limit: '1kb' }), kiketErrorHandler());
    const responses = await deliverTwice(app, JSON.stringify(payloadOf(1025)), { framing });
    expect(responses.map((response) => response?.status)).toEqual([413, 413]);
  });

  it.each(framings)('should keep the connection usable after a body over its own limit (%s)', async (framing) => {
    const app = express();
    app.post('/kiket', kiketVerify(secret, { limit: 1000, reportOnly: true }), (_req, res) => void res.json({}));
    const responses = await deliverTwice(app, JSON.stringify(payloadOf(900_000)), { framing });
    expect(responses.map((response) => response?.status)).toEqual([200, 200]);
  });

  it.each(framings)('should read an empty body, framed by %s, as it does without kiketVerify', async (framing) => {
    const { head, body } = signedRequest('', { framing });
    const bodyWith = (stage: KiketMiddleware): Promise<unknown> => {
      const app = express();
      app.set('env', 'test');
      app.post('/kiket', stage, express.json(), (req, res) => void res.json({ found: req.body as unknown }));
      // The end of a chunked body comes in a packet of its own.
      return Connection.to(app, async (connection) => {
        await connection.writeHead(head);
        const response = await connection.write(body).response();
        return response && [response.status, JSON.parse(response.text)];
      });
    };
    const without = await bodyWith((_req, _res, next) => next());
    expect(without).toEqual([200, expect.anything()]);
    expect(await bodyWith(kiketVerify(secret))).toEqual(without);
  });

  it.each(framings)(
    'should keep the connection usable when kiketParse has read a body that was passed on (%s)',
    async (framing) => {
      const app = express();
      app.post('/kiket', kiketVerify(secret, { reportOnly: true }), kiketParse(), (_req, res) => void res.json({}));
      const headers = { 'X-Kiket-Signature': 'malformed' };
      const responses = await deliverTwice(app, JSON.stringify(payloadOf(1_200_000)), { framing, headers });
      expect(responses.map((response) => response?.status)).toEqual([200, 200]);
    },
  );
});

const BETWEEN = 'kiketRawBody, and before the rest';

const skipped = pairs({
  way: [...Object.keys(chains), BETWEEN],
  parser: Object.keys(parsers),
  size: Object.keys(sizes) as (keyof typeof sizes)[],
  framing: framings,
});

const drained = pairs({ way: Object.keys(chains), framing: framings });

describeMajors('a body parser after the body was consumed', (express) => {
  it.each(skipped)('should skip $size, $framing, after $way: $parser', async ({ way, parser, size, framing }) => {
    const later = parsers[parser]!(express);
    const stages =
      way === BETWEEN
        ? [kiketRawBody(), later, ...chains['kiketVerify, kiketParse']!(), later]
        : [...chains[way]!(), later, later];
    await expectReceived(receiver(express, { stages }), JSON.stringify(payloadOf(sizes[size])), { framing });
  });

  it.each(drained)('should leave nothing to read, $framing, after $way', async ({ way, framing }) => {
    const rest: string[] = [];
    const readRest: KiketMiddleware = (req, _res, next) => {
      void text(req).then((found) => {
        rest.push(found);
        next();
      }, next);
    };
    const app = receiver(express, { stages: [...chains[way]!(), readRest] });
    await expectReceived(app, JSON.stringify(payloadOf(1024)), { framing });
    expect(rest).toEqual(['', '']);
  });

  it.each(Object.entries(parsers))('should skip in %s after a source that left the stream', async (_name, parser) => {
    const body = JSON.stringify(payloadOf(1024));
    const adapter: KiketMiddleware = (req, _res, next) => {
      (req as { rawBody?: unknown }).rawBody = body;
      next();
    };
    const stages = [...chains['kiketVerify, kiketParse']!(), parser(express)];
    await expectReceived(receiver(express, { before: [adapter], stages }), body);
  });
});
