import type { IncomingMessage } from 'node:http';
import { gzipSync } from 'node:zlib';
import type { Request, Response } from 'express';
import {
  captureRawBody,
  kiket,
  kiketErrorHandler,
  kiketRawBody,
  kiketVerify,
  type KiketMiddleware,
} from 'kiket-express';
import { Connection } from '../../support/connection';
import { secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { signedRequest, type Framing, type SignedRequestOptions } from '../../support/signed-request';

/** All middlewares that read a body. */
const readers = Object.entries({
  kiketRawBody: (limit?: number | string) => kiketRawBody({ limit }),
  kiketVerify: (limit?: number | string) => kiketVerify(secret, { limit }),
  'kiket()': (limit?: number | string) => kiket({ secret, limit }),
} satisfies Record<string, (limit?: number | string) => KiketMiddleware>);

const framings: Framing[] = ['length', 'chunked'];
const rows = readers.flatMap(([name, reader]) => framings.map((framing) => ({ name, reader, framing })));

const payload = (bytes: number): string => JSON.stringify({ event: 'e', x: '' }).padEnd(bytes, ' ');

describe('the start-up check of limit', () => {
  it.each(readers)('should throw a TypeError that names %s', (name, reader) => {
    const who = name.replace('()', '');
    expect(() => reader('much')).toThrow(TypeError);
    expect(() => reader('much')).toThrow(`${who}: limit `);
  });
});

describe('captureRawBody', () => {
  const captured = (headers: IncomingMessage['headers']): unknown => {
    const req = { headers } as IncomingMessage & { rawBody?: unknown };
    captureRawBody(req, undefined as never, Buffer.from('{}'), 'utf-8');
    return req.rawBody;
  };

  it('should keep the bytes of a request that has X-Kiket-Signature', () => {
    expect(captured({ 'x-kiket-signature': 'of any form' })).toEqual(Buffer.from('{}'));
  });

  it('should keep nothing of any other request', () => {
    expect(captured({ 'content-type': 'application/json', 'x-hub-signature': 'x' })).toBeUndefined();
  });
});

describeMajors('reading the body', (express) => {
  /** An application with `stages` and a handler that returns the number of bytes that it received. */
  function appOf(stages: readonly KiketMiddleware[], onError?: (error: unknown) => void): ReturnType<typeof express> {
    const app = express();
    app.set('env', 'test');
    app.post(
      '/kiket',
      ...stages,
      (req: Request, res: Response) => void res.json({ bytes: req.kiket?.rawBody?.length }),
      kiketErrorHandler({ onError }),
    );
    return app;
  }

  async function send(
    stages: readonly KiketMiddleware[],
    body: string | Buffer,
    options: SignedRequestOptions = {},
  ): Promise<[number | undefined, unknown]> {
    const request = signedRequest(body, options);
    return Connection.to(appOf(stages), async (connection) => {
      const response = await connection.write(request.head, request.body).response();
      const { bytes, error } = JSON.parse(response?.text ?? '{}') as { bytes?: number; error?: { code: string } };
      return [response?.status, error?.code ?? bytes];
    });
  }

  describe('the limit', () => {
    it.each(rows)('should accept a body of exactly that size ($name, $framing)', async ({ reader, framing }) => {
      expect(await send([reader(2048)], payload(2048), { framing })).toEqual([200, 2048]);
      expect(await send([reader('2kb')], payload(2048), { framing })).toEqual([200, 2048]);
    });

    it.each(rows)('should 413 a body with one byte more ($name, $framing)', async ({ reader, framing }) => {
      expect(await send([reader(2048)], payload(2049), { framing })).toEqual([413, 'body.too_large']);
    });

    it.each(rows)('should be 1 MB by default ($name, $framing)', async ({ reader, framing }) => {
      expect(await send([reader()], payload(2 ** 20), { framing })).toEqual([200, 2 ** 20]);
      expect(await send([reader()], payload(2 ** 20 + 1), { framing })).toEqual([413, 'body.too_large']);
    });

    it.each(readers)('should 413 by Content-Length before the body has arrived (%s)', async (_name, reader) => {
      const { head } = signedRequest(payload(2049));
      const response = await Connection.to(appOf([reader(2048)]), (connection) => connection.write(head).response());
      expect(response?.status).toBe(413);
    });

    it.each(readers)('should 413 a chunked body before its end has arrived (%s)', async (_name, reader) => {
      const { head, body } = signedRequest(payload(3000), { framing: 'chunked' });
      const response = await Connection.to(appOf([reader(2048)]), (connection) =>
        connection.write(head, body.subarray(0, -5)).response(),
      );
      expect(response?.status).toBe(413);
    });

    it.each(rows)('should keep the connection usable, or close it ($name, $framing)', async ({ reader, framing }) => {
      const big = signedRequest(payload(900_000), { framing });
      const small = signedRequest(payload(100));
      const statuses = await Connection.to(appOf([reader(2048)]), async (connection) => {
        connection.write(big.head, big.body, small.head, small.body);
        return [(await connection.response())?.status, (await connection.response())?.status ?? 'closed'];
      });
      expect(statuses[0]).toBe(413);
      expect([200, 'closed']).toContain(statuses[1]);
    });
  });

  describe('Content-Encoding', () => {
    it.each(readers)('should 415 a body with any encoding (%s)', async (_name, reader) => {
      const headers = { 'Content-Encoding': 'identity, GZIP' };
      expect(await send([reader()], payload(100), { headers })).toEqual([415, 'body.encoding_unsupported']);
    });

    it.each(readers)('should 415 a body that express.json() has inflated and captured (%s)', async (_name, reader) => {
      const captured = express.json({ verify: captureRawBody });
      const headers = { 'Content-Encoding': 'gzip' };
      const sent = await send([captured, reader()], gzipSync(payload(100)), { headers });
      expect(sent).toEqual([415, 'body.encoding_unsupported']);
    });

    it.each(['Identity', ''])("should be accepted as '%s'", async (encoding) => {
      const headers = { 'Content-Encoding': encoding };
      expect(await send([kiketRawBody()], payload(100), { headers })).toEqual([200, 100]);
    });
  });

  describe('the charset of Content-Type', () => {
    const headers = { 'Content-Type': 'application/json; charset="UTF-7"' };

    it.each(readers)('should 415 a charset other than UTF-8 (%s)', async (_name, reader) => {
      expect(await send([reader()], payload(100), { headers })).toEqual([415, 'body.encoding_unsupported']);
    });

    it.each(readers)(
      'should 415 a body that express.json() has decoded with it and captured (%s)',
      async (_name, reader) => {
        const captured = express.json({ verify: captureRawBody });
        const sent = await send([captured, reader()], payload(100), { headers });
        expect(sent).toEqual([415, 'body.encoding_unsupported']);
      },
    );

    it('should be accepted as UTF-8', async () => {
      const named = { 'Content-Type': 'application/json; charset=utf-8' };
      expect(await send([kiketRawBody()], payload(100), { headers: named })).toEqual([200, 100]);
    });
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'nonsense', undefined])(
    'should not look at the media type (%s)',
    async (type) => {
      expect(await send([kiketRawBody()], payload(100), { headers: { 'Content-Type': type } })).toEqual([200, 100]);
    },
  );

  describe('a middleware before it', () => {
    const readsPart: KiketMiddleware = (req, _res, next) => {
      req.once('readable', () => {
        req.read(10);
        next();
      });
    };
    const readsAll: KiketMiddleware = (req, _res, next) => void req.resume().once('end', () => next());
    const setsEncoding: KiketMiddleware = (req, _res, next) => {
      req.setEncoding('utf8');
      next();
    };

    it.each(readers)('should 400 body.length_mismatch when it has read a part (%s)', async (_name, reader) => {
      expect(await send([readsPart, reader()], payload(100))).toEqual([400, 'body.length_mismatch']);
    });

    it.each(rows)(
      'should 500 body.already_parsed when it kept nothing ($name, $framing)',
      async ({ reader, framing }) => {
        expect(await send([readsAll, reader()], payload(100), { framing })).toEqual([500, 'body.already_parsed']);
      },
    );

    it.each(rows)('should 500 body.already_parsed when it has set an encoding ($name, $framing)', async (row) => {
      const sent = send([setsEncoding, row.reader()], payload(100), { framing: row.framing });
      expect(await sent).toEqual([500, 'body.already_parsed']);
    });

    it.each(['latin1', 'utf-16le'])(
      'should 500 body.already_parsed when it decoded the body as %s',
      async (charset) => {
        const parser = express.text({ type: '*/*', defaultCharset: charset });
        const body = Buffer.from('{"event":"é"}', charset as BufferEncoding);
        expect(await send([parser, kiketRawBody()], body)).toEqual([500, 'body.already_parsed']);
      },
    );
  });

  describe('the order of sources', () => {
    const put =
      (fields: object): KiketMiddleware =>
      (req, _res, next) =>
        void next(void Object.assign(req, fields));
    const [first, second] = [Buffer.from('first'), Buffer.from('other')];
    const whole: [string, object, string][] = [
      ['req.rawBody before req.body', { rawBody: first, body: second }, 'first'],
      ['req.rawBody as text before req.body', { rawBody: 'first', body: second }, 'first'],
      ['req.body before the stream', { body: first }, 'first'],
      ['req.body as text before the stream', { body: 'first' }, 'first'],
      ['req.body where req.rawBody is not as long as the body', { rawBody: '', body: second }, 'other'],
      ['the stream where neither is as long as the body', { rawBody: 'long text', body: '' }, 'bytes'],
      ['the stream where req.body is a default', { body: {} }, 'bytes'],
    ];
    it.each(whole)('should take %s', async (_name, fields, taken) => {
      expect(await bodyTaken([put(fields), kiketRawBody()], 'length')).toBe(taken);
    });

    it.each(['length', 'chunked'] as const)('should take req.kiket.rawBody before all others (%s)', async (framing) => {
      const stages = [kiketRawBody(), put({ rawBody: first, body: second }), kiketRawBody()];
      expect(await bodyTaken(stages, framing)).toBe('bytes');
    });

    it('should take the stream before any kept body without a length, while the stream can be read', async () => {
      expect(await bodyTaken([put({ rawBody: first, body: second }), kiketRawBody()], 'chunked')).toBe('bytes');
    });

    it('should take the kept body when no header announces one', async () => {
      const headers = { 'Content-Length': undefined };
      expect(await send([put({ rawBody: first }), kiketRawBody()], '', { headers })).toEqual([200, 5]);
    });

    async function bodyTaken(stages: readonly KiketMiddleware[], framing: Framing): Promise<unknown> {
      const taken: unknown[] = [];
      const look: KiketMiddleware = (req, _res, next) => next(void taken.push(String((req as Request).kiket?.rawBody)));
      await send([...stages, look], 'bytes', { framing });
      return taken[0];
    }
  });

  describe('an empty body', () => {
    const parsers = {
      'no parser': (_req: unknown, _res: unknown, next: () => void) => next(),
      'express.json({ verify: captureRawBody })': express.json({ verify: captureRawBody }),
      'express.raw()': express.raw({ type: '*/*' }),
      'express.text()': express.text({ type: '*/*' }),
    };
    const table = Object.entries(parsers).flatMap(([parser, stage]) =>
      framings.map((framing) => ({ parser, stage, framing })),
    );
    it.each(table)('should be read as 0 bytes after $parser, framed by $framing', async ({ stage, framing }) => {
      expect(await send([stage as KiketMiddleware, kiketRawBody()], '', { framing })).toEqual([200, 0]);
      expect(await send([stage as KiketMiddleware, kiketVerify(secret)], '', { framing })).toEqual([200, 0]);
    });

    it.each(framings)('should not be accepted as a delivery (%s)', async (framing) => {
      expect(await send([kiket({ secret })], '', { framing })).toEqual([400, 'payload.malformed']);
    });

    it('should be read as 0 bytes when no header announces a body', async () => {
      const headers = { 'Content-Length': undefined };
      expect(await send([kiketVerify(secret)], '', { headers })).toEqual([200, 0]);
      expect(await send([kiketRawBody()], '', { headers })).toEqual([200, 0]);
    });
  });

  describe('a client that leaves in the middle of the body', () => {
    /** The error that reaches the error handler; no client is left to receive a response. */
    async function errorAfterBreak(
      before: KiketMiddleware,
      reader: KiketMiddleware,
      framing: Framing,
    ): Promise<unknown> {
      const { head, body } = signedRequest(payload(5000), { framing });
      return new Promise((resolve, reject) => {
        Connection.to(appOf([before, reader], resolve), async (connection) => {
          await connection.writeHead(head);
          connection.write(body.subarray(0, 2000));
          await new Promise(setImmediate);
          connection.break();
          await new Promise((settled) => setTimeout(settled, 50));
        }).then(() => reject(new Error('Nothing reached the error handler')), reject);
      });
    }

    const atOnce: KiketMiddleware = (_req, _res, next) => next();
    const afterTheBreak: KiketMiddleware = (req, _res, next) =>
      void req.once('close', () => next()).on('error', () => undefined);
    const aborted = { code: 'body.aborted', status: 503, retryable: true };

    it.each(rows)('should be 503 body.aborted ($name, $framing)', async ({ reader, framing }) => {
      expect(await errorAfterBreak(atOnce, reader(), framing)).toMatchObject(aborted);
    });

    it.each(rows)(
      'should be 503 body.aborted before the reading began ($name, $framing)',
      async ({ reader, framing }) => {
        expect(await errorAfterBreak(afterTheBreak, reader(), framing)).toMatchObject(aborted);
      },
    );
  });
});
