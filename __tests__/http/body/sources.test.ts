import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { runInNewContext } from 'node:vm';
import { captureRawBody, kiketErrorHandler, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { pairs } from '../../support/pairs';
import { chains, deliverTwice, expectReceived, payloadOf, receiver, sizes } from '../../support/receiver';

/** Middlewares of the whole application that leave the bytes to the receiver. */
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

/** Actions of a middleware on the stream that do not read it to its end. */
const touches: Record<string, (req: Adapted, next: () => void) => void> = {
  'still collects req.rawBody as a string': (req, next) => {
    req.rawBody = '';
    req.on('data', (chunk: Buffer) => (req.rawBody = `${req.rawBody as string}${chunk.toString('latin1')}`));
    next();
  },
  'still collects req.rawBody as a Buffer': (req, next) => {
    req.rawBody = Buffer.alloc(0);
    req.on('data', (chunk: Buffer) => (req.rawBody = Buffer.concat([req.rawBody as Buffer, chunk])));
    next();
  },
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

type Adapted = IncomingMessage & { rawBody?: unknown; body?: unknown };

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

const formats: Record<string, string> = {
  'compact JSON': small,
  'pretty-printed JSON': pretty,
  'JSON with CRLF': `${pretty.replaceAll('\n', '\r\n')}\r\n`,
  'JSON with a byte order mark': `\uFEFF${small}`,
  'JSON with emoji': emoji,
  'emoji and a byte order mark': `\uFEFF${emoji}`,
  '450 KB of emoji': JSON.stringify(payloadOf(450 * 1024, '👩‍🚀é')),
};

const received = pairs(
  {
    source: Object.keys(sources),
    format: Object.keys(formats),
    framing: ['length', 'chunked'] as const,
    way: Object.keys(chains),
  },
  // express.text() drops a byte order mark without a trace.
  ({ source, format, framing }) =>
    !(source === 'express.text()' && framing === 'chunked' && format.includes('byte order mark')),
);

const touched = pairs({
  touch: Object.keys(touches),
  way: Object.keys(chains),
  size: Object.keys(sizes) as (keyof typeof sizes)[],
  framing: ['length', 'chunked'] as const,
});

/** The forms in which an adapter may keep bytes. */
const forms: Record<string, (bytes: Buffer) => unknown> = {
  'a Uint8Array': (bytes) => new Uint8Array(bytes),
  'a Uint8Array over a part of its memory': (bytes) =>
    new Uint8Array(Buffer.from(` ${bytes.toString()} `)).subarray(1, -1),
  'a DataView': (bytes) => new DataView(new Uint8Array(bytes).buffer),
  'an ArrayBuffer': (bytes) => new Uint8Array(bytes).buffer,
  'a SharedArrayBuffer': (bytes) => {
    const shared = new SharedArrayBuffer(bytes.length);
    new Uint8Array(shared).set(bytes);
    return shared;
  },
  'a Uint8Array of another realm': (bytes): unknown => runInNewContext('Uint8Array.from(bytes)', { bytes }),
  'an ArrayBuffer of another realm': (bytes): unknown => runInNewContext('Uint8Array.from(bytes).buffer', { bytes }),
};

describeMajors('body sources', (express) => {
  describe.each(Object.entries(chains))('%s', (_name, chain) => {
    it('should receive a delivery when mounted with app.use()', async () => {
      await expectReceived(receiver(express, { before: chain(), stages: [] }), small);
    });

    it('should receive a body that has gone through application and route', async () => {
      await expectReceived(receiver(express, { before: chain(), stages: chain() }), small);
    });

    it('should respond with 500 body.already_parsed, which is retryable, after a plain express.json()', async () => {
      const app = receiver(express, { before: [express.json({ limit: '1mb' })], stages: chain() });
      for (const response of await deliverTwice(app, small)) {
        expect(response?.status).toBe(500);
        expect(JSON.parse(response!.text)).toMatchObject({
          error: {
            code: 'body.already_parsed',
            retryable: true,
            message: expect.stringMatching(
              /before every parser.*express\.json\({ limit: '1mb', verify: captureRawBody }\).*export const config = { api: { bodyParser: false } }/,
            ) as string,
          },
        });
      }
    });
  });

  it.each(received)('should receive $format, $framing, through $way after $source', async (row) => {
    const body = formats[row.format]!;
    const before = sources[row.source]!(express, body);
    await expectReceived(receiver(express, { before, stages: chains[row.way]!() }), body, { framing: row.framing });
  });

  it.each(touched)('should receive $size, $framing, through $way after a middleware that $touch', async (row) => {
    const before: KiketMiddleware = (req, _res, next) => touches[row.touch]!(req, next);
    const app = receiver(express, { before: [before], stages: chains[row.way]!() });
    await expectReceived(app, JSON.stringify(payloadOf(sizes[row.size])), { framing: row.framing });
  });

  it('should 401 a chunked string without the byte order mark that was signed', async () => {
    const app = receiver(express, { before: [express.text({ type: '*/*' })], stages: chains['kiket()']!() });
    const [response] = await deliverTwice(app, `\uFEFF${small}`, { framing: 'chunked' });
    expect(response?.status).toBe(401);
    expect(JSON.parse(response!.text)).toMatchObject({ error: { code: 'signature.mismatch' } });
  });

  describe.each(['rawBody', 'body'] as const)('req.%s', (field) => {
    it.each(Object.entries(forms))('should be received as %s', async (_name, toForm) => {
      const before = readInto((req, bytes) => (req[field] = toForm(bytes)));
      await expectReceived(receiver(express, { before: [before], stages: chains['all four']!() }), emoji);
    });

    it.each(['length', 'chunked'] as const)(
      'should be ignored when it has other bytes than were sent (%s)',
      async (framing) => {
        const before = readInto((req, bytes) => (req[field] = bytes.subarray(1)));
        const app = receiver(express, { before: [before], stages: chains['all four']!() });
        const [response] = await deliverTwice(app, small, { framing });
        const code = framing === 'length' ? 'body.already_parsed' : 'signature.mismatch';
        expect(JSON.parse(response!.text)).toMatchObject({ error: { code } });
      },
    );
  });

  it('should name the remedies in the error of another route when kiketVerify stands before all routes', async () => {
    const app = express();
    app.use(kiketVerify(secret), kiketErrorHandler());
    app.get('/health', (_req, res) => void res.json({}));
    const response = await Connection.to(app, (connection) =>
      connection.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n').response(),
    );
    expect(response?.status).toBe(401);
    const { error } = JSON.parse(response!.text) as { error: { code: string; message: string } };
    expect(error.code).toBe('signature.missing');
    expect(error.message).toContain("app.use('/kiket', kiketVerify(secret))");
    expect(error.message).toContain('signatureRequired: false');
  });
});
