import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import type { Request, RequestHandler, Response } from 'express';
import { MemoryStore } from 'express-session';
import { kiketHandler, kiketRespond, type KiketMiddleware } from 'kiket-express';
import type request from 'supertest';
import { attempt, attemptBytes, once, type OnceOptions } from '../../support/attempts';
import { Connection } from '../../support/connection';
import type { Stage } from '../../support/endpoint';
import { describeMajors, majors, type Express } from '../../support/express';
import { compressed, sessions, SlowStore } from '../../support/wrapping';
import { turns } from '../../support/turns';
import { WatchedStore } from '../../support/watched-store';

const express = majors['Express 5'];

const LIMIT = 64 * 1024;

const folder = mkdtempSync(join(tmpdir(), 'kiket-responses-'));
const fileOf = (size: number): string => {
  const path = join(folder, `${size}.txt`);
  writeFileSync(path, 'f'.repeat(size));
  return path;
};
afterAll(() => rmSync(folder, { recursive: true }));

const handled: Record<string, KiketMiddleware> = {
  'an object': kiketHandler(() => ({ ok: true, text: 'é 🚀' })),
  'an array': kiketHandler(() => [1, 2]),
  nothing: kiketHandler(() => undefined),
  'an object with a status of its own': kiketHandler((_delivery, _req, res) => (res.status(201), { made: true })),
  'an object with 204': kiketHandler((_delivery, _req, res) => (res.status(204), { dropped: true })),
  'headers of its own': kiketHandler((_delivery, _req, res) => (res.set({ 'X-Own': 'yes', Link: ['<a>', '<b>'] }), {})),
  'what it has written itself': kiketHandler((_delivery, _req, res) => void res.status(202).send('own')),
  'what it writes itself later': kiketHandler(async (_delivery, _req, res) => {
    res.write('first ');
    await turns();
    res.end('last');
  }),
  'res.kiket': kiketHandler((_delivery, _req, res) => void res.kiket.ok({ by: 'res.kiket' })),
};

const plain: Record<string, (res: Response, req: Request) => unknown> = {
  'res.json()': (res) => res.status(201).json({ a: 'é' }),
  'res.send(text)': (res) => res.send('<p>é</p>'),
  'res.send(long text)': (res) => res.send('é'.repeat(2000)),
  'res.send(Buffer)': (res) => res.send(Buffer.from('é')),
  'res.send(object)': (res) => res.send({ a: 1 }),
  'res.sendStatus()': (res) => res.sendStatus(202),
  'res.end()': (res) => res.end(),
  'res.end(text)': (res) => res.end('text é'),
  'res.end(Buffer)': (res) => res.end(Buffer.from('bytes')),
  'res.end(Uint8Array)': (res) => res.end(new Uint8Array([0xc3, 0xa9])),
  'res.end(text, encoding)': (res) => res.end('6b696b6574', 'hex'),
  'res.end(text, other encoding)': (res) => res.end('Ã©', 'latin1'),
  'res.end(text, encoding, callback)': (res) => res.end('a2lrZXQ=', 'base64', () => undefined),
  'res.end(text, callback)': (res) => res.end('text', () => undefined),
  'res.end(callback)': (res) => res.end(() => undefined),
  'res.write() and res.end()': (res) => (
    res.write('é'),
    res.write(Buffer.from('b')),
    res.write('63', 'hex'),
    res.end('d')
  ),
  'res.writeHead(status, object)': (res) => res.writeHead(202, { 'Content-Type': 'text/x', 'X-Own': 'yes' }).end('w'),
  'res.writeHead(status, reason, object)': (res) => res.writeHead(202, 'Fine', { 'X-Own': 'yes' }).end('w'),
  'res.writeHead(status, list)': (res) => res.writeHead(202, ['X-Own', 'yes', 'X-Other', 'too']).end('w'),
  'res.writeHead(status)': (res) => res.set('X-Own', 'yes').writeHead(202).end('w'),
  'res.setHeader() and res.writeHead()': (res) =>
    res.set({ 'X-Own': 'a', 'X-Other': 'b' }).writeHead(202, { 'X-Own': 'c' }).end('w'),
  'res.flushHeaders()': (res) => (res.set('X-Own', 'yes').flushHeaders(), res.end('flushed')),
  'res.redirect()': (res) => res.redirect('/elsewhere'),
  'a status of the 4xx': (res) => res.status(410).json({ gone: true }),
  '304': (res) => res.status(304).end(),
  '204': (res) => res.status(204).end(),
  'a stream': (res) => Readable.from(['a', 'b', Buffer.from('c')]).pipe(res.type('text')),
  'a pipeline': (res) => void pipeline(createReadStream(fileOf(100)), new PassThrough(), res, () => undefined),
  'res.sendFile()': (res) => res.sendFile(fileOf(3000)),
  'res.download()': (res) => res.download(fileOf(10)),
  'res.jsonp()': (res) => res.jsonp({ a: 1 }),
  'res.format()': (res) => res.format({ text: () => res.send('text'), json: () => res.json({}) }),
};

/** Headers that belong to one connection, moment or client. */
const OF_ONE_RESPONSE = [
  'connection',
  'keep-alive',
  'date',
  'content-length',
  'transfer-encoding',
  'set-cookie',
  'kiket-replayed',
];

function kept({ headers }: request.Response): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers as object).filter(([name]) => !OF_ONE_RESPONSE.includes(name)));
}

/** Sends a delivery three times, and expects one run and the same response each time. */
async function expectReplayed(
  handler: Stage,
  options: OnceOptions = {},
  major: Express = express,
): Promise<[request.Response, request.Response, WatchedStore]> {
  const store = new WatchedStore();
  let runs = 0;
  const count: RequestHandler = (_req, _res, next) => (runs++, next());
  const app = once(major, store, [count, handler].flat(), options);
  const receive = (): ReturnType<typeof attempt> =>
    attempt(app)
      .redirects(0)
      .buffer(true)
      .parse((res, done) => {
        const chunks: Buffer[] = [];
        res.on('data', (chunk: Buffer) => chunks.push(chunk));
        res.on('end', () => done(null, Buffer.concat(chunks)));
      });
  const first = await receive();
  expect(first.headers['kiket-replayed']).toBeUndefined();
  await store.called('complete');
  const second = await receive();
  const third = await receive();
  for (const again of [second, third]) {
    expect(again.headers['kiket-replayed']).toBe('true');
    expect([again.status, kept(again)]).toEqual([first.status, kept(first)]);
    expect((again.body as Buffer).equals(first.body as Buffer)).toBe(true);
  }
  expect(runs).toBe(1);
  expect(store.callsOf('complete')).toHaveLength(1);
  return [first, second, store];
}

describeMajors('the response of a plain handler', (express) => {
  it.each(Object.entries(plain))('should be replayed: %s', async (_name, act) => {
    await expectReplayed((req: Request, res: Response) => void act(res, req), {}, express);
  });

  it('should be replayed from a mounted application and from a router', async () => {
    const mounted = express();
    const router = express.Router();
    router.post('/', (_req, res) => void res.status(201).json({ from: 'router' }));
    mounted.use(router);
    await expectReplayed(mounted, {}, express);
  });

  it('should be replayed after other middlewares of the route', async () => {
    const parse = express.json();
    const tag: RequestHandler = (_req, res, next) => (res.append('Vary', 'X-A').append('Vary', 'X-B'), next());
    await expectReplayed(
      [parse, tag, kiketRespond(), (_req: Request, res: Response) => void res.json({})] as unknown as Stage,
      {},
      express,
    );
  });
});

describe('kiketIdempotency', () => {
  describe('the response of kiketHandler', () => {
    it.each(Object.entries(handled))('should be replayed: %s', async (_name, handler) => {
      await expectReplayed(handler);
    });
  });

  const inOtherEncodings: Record<string, (res: Response) => unknown> = {
    'bytes that are not UTF-8': (res) => res.send(Buffer.from([1, 255, 254])),
    'a text that is written in another encoding': (res) => res.end('é', 'latin1'),
    'UTF-16': (res) => res.end('text', 'utf16le'),
    'a charset that is named': (res) => res.set('Content-Type', 'text/plain; charset=iso-8859-1').end('text'),
  };

  it.each(Object.entries(inOtherEncodings))(
    'should store only the status of a response that is not UTF-8: %s',
    async (_name, act) => {
      const store = new WatchedStore();
      const app = once(express, store, (_req: Request, res: Response) => void act(res.status(201)));
      await attempt(app).expect(201);
      await store.called('complete');
      await attempt(app).expect(201).expect('Kiket-Replayed', 'true').expect('Content-Length', '0');
      expect(store.records).toEqual([JSON.stringify({ status: 201, headers: {}, body: '' })]);
    },
  );

  it('should store the headers of the handler, but none that belongs to one response', async () => {
    const before: RequestHandler = (_req, res, next) => (res.set('X-Before', 'same').append('X-List', 'a'), next());
    const [first, second, store] = await expectReplayed(
      (_req: Request, res: Response) =>
        void res
          .set({ 'X-Own': 'yes', 'X-Before': 'same', 'Keep-Alive': 'timeout=7', Date: 'never' })
          .cookie('canary', 'cookie')
          .append('X-List', 'b')
          .json({}),
      { before: [before] },
    );
    expect(first.headers['set-cookie']).toBeDefined();
    expect(second.headers['set-cookie']).toBeUndefined();
    expect(second.headers['x-list']).toBe('a, b');
    const { headers } = JSON.parse(store.records[0]!) as { headers: object };
    expect(Object.keys(headers).sort()).toEqual(['content-type', 'etag', 'x-list', 'x-own']);
  });

  it('should not replay headers that were set before it for the first attempt', async () => {
    const store = new WatchedStore();
    let requests = 0;
    const app = once(express, store, (_req: Request, res: Response) => void res.json({}), {
      before: [(_req, res, next) => (res.set('X-Request-Id', `request ${++requests}`), next())],
    });
    await attempt(app).expect('X-Request-Id', 'request 1');
    await attempt(app).expect('X-Request-Id', 'request 2').expect('Kiket-Replayed', 'true');
  });

  describe('a response of 64 KB', () => {
    const large: Record<string, (res: Response, size: number) => unknown> = {
      'in one piece': (res, size) => res.end('x'.repeat(size)),
      'in bytes': (res, size) => res.send(Buffer.alloc(size, 1)),
      'in characters of two bytes': (res, size) => res.end('é'.repeat(size / 2) + 'x'.repeat(size % 2)),
      'in pieces': (res, size) => {
        for (let left = size; left > 0; left -= 1000) res.write('x'.repeat(Math.min(left, 1000)));
        res.end();
      },
      'as a stream': (res, size) => createReadStream(fileOf(size)).pipe(res),
      'as a file': (res, size) => res.sendFile(fileOf(size)),
    };

    it.each(Object.entries(large))('should be replayed: %s', async (_name, act) => {
      const [, second] = await expectReplayed((_req: Request, res: Response) => void act(res.status(201), LIMIT));
      expect(second.body).toHaveLength(LIMIT);
    });

    it.each(Object.entries(large))('should be stored by its status with one byte more: %s', async (_name, act) => {
      const store = new WatchedStore();
      const app = once(express, store, (_req: Request, res: Response) => void act(res.status(201), LIMIT + 1));
      await attempt(app).expect(201);
      await store.called('complete');
      const second = await attempt(app).expect(201).expect('Kiket-Replayed', 'true').expect('Content-Length', '0');
      expect(second.headers['etag']).toBeUndefined();
      expect(store.records).toEqual([JSON.stringify({ status: 201, headers: {}, body: '' })]);
    });
  });

  describe('with a middleware that wraps the response', () => {
    const text = 'é wrapped '.repeat(500);
    const acts: Record<string, Stage> = {
      'res.json()': (_req: Request, res: Response) => void res.json({ text }),
      'res.end()': (_req: Request, res: Response) => void res.type('text').end(text),
      'res.write() and res.end()': (_req: Request, res: Response) => (res.type('text').write(text), void res.end(text)),
      'a stream': (_req: Request, res: Response) => void Readable.from([text, text]).pipe(res.type('text')),
      'res.writeHead()': (_req: Request, res: Response) =>
        void res.writeHead(201, { 'Content-Type': 'text/plain' }).end(text),
      kiketHandler: kiketHandler(() => ({ text })),
    };

    it.each(Object.entries(acts))(
      'should replay the response through a compression before it: %s',
      async (_name, handler) => {
        const store = new WatchedStore();
        const app = once(express, store, handler, { before: [compressed()] });
        const first = await attempt(app).expect('Content-Encoding', 'gzip');
        await store.called('complete');
        const second = await attempt(app).expect('Content-Encoding', 'gzip').expect('Kiket-Replayed', 'true');
        expect([second.status, second.text, second.headers['content-type']]).toEqual([
          first.status,
          first.text,
          first.headers['content-type'],
        ]);
        const third = await attempt(app).set('Accept-Encoding', 'identity').expect('Kiket-Replayed', 'true');
        expect(third.headers['content-encoding']).toBeUndefined();
        expect(third.text).toBe(first.text);
      },
    );

    it.each(Object.entries(acts))(
      'should store only the status of a response that a compression after it has encoded: %s',
      async (_name, handler) => {
        const store = new WatchedStore();
        const app = once(express, store, [compressed(), handler]);
        const first = await attempt(app).expect('Content-Encoding', 'gzip');
        await store.called('complete');
        const second = await attempt(app)
          .set('Accept-Encoding', 'identity')
          .expect(first.status)
          .expect('Kiket-Replayed', 'true');
        expect(second.headers['content-encoding']).toBeUndefined();
        expect(store.records).toEqual([JSON.stringify({ status: first.status, headers: {}, body: '' })]);
      },
    );

    it('should store only the status of a response that a handler has compressed itself', async () => {
      const store = new WatchedStore();
      const app = once(express, store, (_req: Request, res: Response) => {
        Readable.from([text]).pipe(createGzip()).pipe(res.set('Content-Encoding', 'gzip'));
      });
      await attempt(app).expect(200);
      await store.called('complete');
      expect(store.records).toEqual([JSON.stringify({ status: 200, headers: {}, body: '' })]);
    });

    it.each(Object.entries(acts))(
      'should replay the response through a session before it: %s',
      async (_name, handler) => {
        const store = new WatchedStore();
        const app = once(express, store, handler, { before: [sessions(new SlowStore(() => turns()))] });
        const first = await attempt(app);
        expect(first.headers['set-cookie']).toBeDefined();
        const second = await attempt(app).expect('Kiket-Replayed', 'true');
        expect([second.status, second.text]).toEqual([first.status, first.text]);
        expect(second.headers['set-cookie']).not.toEqual(first.headers['set-cookie']);
        expect(store.records.join()).not.toMatch(/cookie/i);
      },
    );

    it('should replay the response through a middleware that ends it with write and end', async () => {
      const wrap: RequestHandler = (_req, res, next) => {
        const end = res.end.bind(res) as (callback?: unknown) => Response;
        res.end = (chunk?: unknown) => {
          if (chunk !== undefined) res.write(chunk);
          return end();
        };
        next();
      };
      const handler = (_req: Request, res: Response): unknown => (res.write('one '), res.end('piece'));
      const [first] = await expectReplayed(handler as Stage, { before: [wrap] });
      expect(String(first.body)).toBe('one piece');
    });

    it('should replay the response through a compression before and a session after it', async () => {
      const store = new WatchedStore();
      const handler: Stage[] = [sessions(new MemoryStore()) as Stage, acts['res.json()']!];
      const app = once(express, store, handler, { before: [compressed()] });
      const first = await attempt(app);
      const second = await attempt(app).expect('Kiket-Replayed', 'true');
      expect(second.text).toBe(first.text);
    });
  });

  describe('a response that cannot be written', () => {
    const impossible: Record<string, (res: Response) => unknown> = {
      'a status that does not exist': (res) => ((res.statusCode = 9999), res.end('x')),
      'a header that does not exist': (res) => res.writeHead(200, { 'X Bad': 'a' }).end('x'),
      'an invalid chunk': (res) => res.end(7 as never),
      'an invalid write': (res) => (res.write(7), res.end()),
    };

    it.each(Object.entries(impossible))(
      'should be the error that Node throws, after which the next attempt runs: %s',
      async (_name, act) => {
        const store = new WatchedStore();
        let runs = 0;
        const app = once(express, store, (_req: Request, res: Response) => {
          if (++runs === 1) act(res);
          else res.json({ run: runs });
        });
        await attempt(app).expect(500);
        expect(store.methods).toEqual(['claim', 'complete', 'release']);
        await attempt(app).expect(200, { run: 2 });
        await attempt(app).expect(200, { run: 2 }).expect('Kiket-Replayed', 'true');
        expect(runs).toBe(2);
      },
    );

    it('should be replaced by the next write', async () => {
      const store = new WatchedStore();
      const app = once(express, store, (_req: Request, res: Response) => {
        expect(() => res.writeHead(200, { 'X-Own': 'a', 'X Bad': 'b' })).toThrow();
        expect(() => res.write(7)).toThrow();
        expect(() => res.end(7 as never)).toThrow();
        res.set('X-Other', 'yes').json({ second: 'try' });
      });
      await attempt(app).expect(200);
      await attempt(app).expect(200, { second: 'try' }).expect('X-Other', 'yes').expect('Kiket-Replayed', 'true');
    });
  });

  it('should store the first of two responses', async () => {
    await expectReplayed(
      (_req: Request, res: Response) => (res.json({ first: true }), void res.json({ second: true })),
    );
  });

  it('should replay responses to a client that pipelines its requests', async () => {
    const app = once(
      express,
      new WatchedStore(),
      kiketHandler(() => turns().then(() => ({ ok: true }))),
    );
    const { head, body } = attemptBytes();
    await Connection.to(app, async (connection) => {
      const responses = [];
      expect(await connection.write(head, body).response()).toMatchObject({ status: 200 });
      connection.write(head, body, head, body);
      for (let i = 0; i < 2; i++) responses.push(await connection.response());
      for (const response of responses)
        expect(response).toMatchObject({ status: 200, text: '{"ok":true}', headers: { 'kiket-replayed': 'true' } });
    });
  });
});
