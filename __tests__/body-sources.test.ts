import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { captureRawBody, kiketErrorHandler, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { Connection } from './support/connection';
import { secret } from './support/deliver';
import { describeMajors, type Express } from './support/express';
import { chains, deliverTwice, expectReceived, payloadOf, receiver, sizes } from './support/receiver';

/** What may stand before a receiver, for the whole application, and leave it the bytes. */
const sources: Record<string, (express: Express, body: string) => KiketMiddleware[]> = {
  'no parser': () => [],
  'express.raw()': (express) => [express.raw({ type: '*/*', limit: '1mb' })],
  'express.text()': (express) => [express.text({ type: '*/*', limit: '1mb' })],
  'express.json({ verify: captureRawBody })': (express) => [express.json({ limit: '1mb', verify: captureRawBody })],
  'req.rawBody as Buffer': () => [readInto((req, bytes) => (req.rawBody = bytes))],
  'req.rawBody as string': () => [readInto((req, bytes) => (req.rawBody = bytes.toString()))],
  'req.rawBody beside a parsed req.body': () => [
    readInto((req, bytes) => {
      req.rawBody = bytes;
      req.body = JSON.parse(bytes.toString().replace(/^\uFEFF/, ''));
    }),
  ],
  'req.rawBody beside an unread stream': (_express, body) => [
    (req, _res, next) => {
      (req as Adapted).rawBody = Buffer.from(body);
      next();
    },
  ],
};

/** What a middleware may have done to the stream without reading it. */
const touches: Record<string, (req: IncomingMessage, next: () => void) => void> = {
  'has paused the request': (req, next) => {
    req.pause();
    next();
  },
  'has paused the request for a turn': (req, next) => {
    req.pause();
    setImmediate(next);
  },
  "listens to 'data'": (req, next) => {
    req.on('data', () => undefined);
    next();
  },
  "listens to 'end', 'close' and 'error'": (req, next) => {
    for (const event of ['end', 'close', 'error']) req.on(event, () => undefined);
    next();
  },
};

type Adapted = IncomingMessage & { rawBody?: Buffer | string; body?: unknown };

/** Reads the body as an adapter of a platform does. */
function readInto(keep: (req: Adapted, bytes: Buffer) => void): KiketMiddleware {
  return (req, _res, next) => {
    void buffer(req).then((bytes) => {
      keep(req, bytes);
      next();
    }, next);
  };
}

const small = JSON.stringify(payloadOf(1024));
const pretty = JSON.stringify(JSON.parse(small), undefined, 2);
const emoji = JSON.stringify(payloadOf(1024, '👩‍🚀é'));

const formats = Object.entries({
  'compact JSON': small,
  'pretty-printed JSON': pretty,
  'JSON with CRLF': `${pretty.replaceAll('\n', '\r\n')}\r\n`,
  'JSON with a byte order mark': `\uFEFF${small}`,
  'JSON with emoji': emoji,
  'emoji and a byte order mark': `\uFEFF${emoji}`,
}).flatMap(([format, body]) => [
  { format, body, framing: 'length' as const },
  // After express.text(), only the signature tells then that a byte order mark was dropped.
  { format, body, framing: 'chunked' as const },
]);

describeMajors('body sources', (express) => {
  describe.each(Object.entries(chains))('%s', (_name, chain) => {
    const table = Object.entries(sources).flatMap(([source, before]) =>
      Object.entries(sizes).map(([size, bytes]) => ({ source, before, size, bytes })),
    );

    it.each(table)('should receive $size after $source', async ({ before, bytes }) => {
      const body = JSON.stringify(payloadOf(bytes));
      await expectReceived(receiver(express, { before: before(express, body), stages: chain() }), body);
    });

    it('should receive it mounted with app.use() too', async () => {
      await expectReceived(receiver(express, { before: chain(), stages: [] }), small);
    });

    it('should receive what has gone through application and route', async () => {
      await expectReceived(receiver(express, { before: chain(), stages: chain() }), small);
    });

    it('should answer 500 body.already_parsed, to be sent again, after a plain express.json()', async () => {
      const app = receiver(express, { before: [express.json({ limit: '1mb' })], stages: chain() });
      for (const answer of await deliverTwice(app, small)) {
        expect(answer?.status).toBe(500);
        expect(JSON.parse(answer!.text)).toMatchObject({
          error: {
            code: 'body.already_parsed',
            retryable: true,
            message: expect.stringContaining("express.json({ limit: '1mb', verify: captureRawBody })") as string,
          },
        });
      }
    });
  });

  describe.each(Object.entries(sources))('after %s', (_name, before) => {
    it.each(formats)('should receive $format, framed by $framing', async ({ body, framing }) => {
      const app = receiver(express, { before: before(express, body), stages: chains['kiket()']!() });
      await expectReceived(app, body, { framing });
    });
  });

  const touched = Object.entries(touches).flatMap(([name, touch]) =>
    Object.entries(chains).flatMap(([way, chain]) =>
      Object.entries(sizes).map(([size, bytes]) => ({ name, touch, way, chain, size, bytes })),
    ),
  );
  it.each(touched)('should receive $size through $way after a middleware that $name', async (row) => {
    const before: KiketMiddleware = (req, _res, next) => row.touch(req, next);
    const body = JSON.stringify(payloadOf(row.bytes));
    await expectReceived(receiver(express, { before: [before], stages: row.chain() }), body);
  });

  it('should tell an unsigned request of another route that kiketVerify stands before all of them', async () => {
    const app = express();
    app.use(kiketVerify(secret), kiketErrorHandler());
    app.get('/health', (_req, res) => void res.json({}));
    const answer = await Connection.to(app, (connection) =>
      connection.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n').answer(),
    );
    expect(answer?.status).toBe(401);
    const { error } = JSON.parse(answer!.text) as { error: { code: string; message: string } };
    expect(error.code).toBe('signature.missing');
    expect(error.message).toContain("app.use('/kiket', kiketVerify(secret))");
    expect(error.message).toContain('signatureRequired: false');
  });

  it.each(Object.entries(chains))('should receive 450 KB of emoji, chunked, through %s', async (_name, chain) => {
    const app = receiver(express, { stages: chain() });
    await expectReceived(app, JSON.stringify(payloadOf(450 * 1024, '👩‍🚀é')), { framing: 'chunked' });
  });
});
