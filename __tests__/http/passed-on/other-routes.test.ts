import { once } from 'node:events';
import { connect } from 'node:net';
import path from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import type { Express as Application, NextFunction, Request, Response } from 'express';
import { kiket, kiketErrorHandler, kiketHandler, kiketParse, kiketRespond, kiketVerify } from 'kiket-express';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { withRawServer, type RawRequest } from '../../support/raw-http';

type Mount = (app: Application) => unknown;

const mounts: Record<string, Mount> = {
  'report-only kiketVerify': (app) => app.use(kiketVerify(secret, { reportOnly: true })),
  'report-only kiketVerify with a secret function': (app) =>
    app.use(kiketVerify(() => Promise.resolve(secret), { reportOnly: true })),
  'report-only kiketRespond, kiketVerify and kiketParse': (app) =>
    app.use(kiketRespond(), kiketVerify(secret, { reportOnly: true }), kiketParse()),
  'report-only kiket()': (app) => app.use(kiket({ secret, reportOnly: true })),
  'kiketVerify without a required signature': (app) => app.use(kiketVerify(secret, { signatureRequired: false })),
  'kiketRespond, kiketVerify without a required signature and kiketParse': (app) =>
    app.use(kiketRespond(), kiketVerify(secret, { signatureRequired: false }), kiketParse()),
  'kiket() without a required signature': (app) => app.use(kiket({ secret, signatureRequired: false })),
  'a strict kiket() on a path of its own': (app) =>
    app.post(
      '/kiket',
      kiket({ secret }),
      kiketHandler(() => ({})),
    ),
};

const json = { 'Content-Type': 'application/json' };
const requests: Record<string, RawRequest> = {
  'a page': { method: 'GET', path: '/page', framing: undefined },
  'its head': { method: 'HEAD', path: '/page', framing: undefined },
  'its options': { method: 'OPTIONS', path: '/page', framing: undefined },
  'a file': { method: 'GET', path: '/file', framing: undefined },
  'a part of a file': { method: 'GET', path: '/file', headers: { Range: 'bytes=2-9' }, framing: undefined },
  'a stream': { method: 'GET', path: '/stream', framing: undefined },
  'writes by parts, with trailers': { method: 'GET', path: '/parts', framing: undefined },
  'a redirection': { method: 'GET', path: '/old', framing: undefined },
  'no content': { method: 'DELETE', path: '/thing', framing: undefined },
  'an unknown path': { method: 'GET', path: '/nowhere', framing: undefined },
  'a malformed path': { method: 'GET', path: '/things/%E0%A4%A', framing: undefined },
  JSON: { path: '/json', headers: json, body: '{"a":1}' },
  'JSON in chunks': { path: '/json', headers: json, body: '{"a":1}', framing: 'chunked' },
  'JSON that is compressed': {
    path: '/json',
    headers: { ...json, 'Content-Encoding': 'gzip' },
    body: gzipSync('{"a":1}'),
  },
  'JSON in an unknown encoding': { path: '/json', headers: { ...json, 'Content-Encoding': 'odd' }, body: '{"a":1}' },
  'JSON that is malformed': { path: '/json', headers: json, body: '{"a":' },
  'JSON over the limit of its parser': { path: '/json', headers: json, body: JSON.stringify('x'.repeat(200_000)) },
  'JSON after Expect': { path: '/json', headers: { ...json, Expect: '100-continue' }, body: '{"a":1}' },
  'JSON with the headers of a delivery': {
    path: '/json',
    headers: { ...json, 'X-Kiket-Event': 'issue.created', 'X-Kiket-Invocation': 'inv_1' },
    body: '{"event":"issue.created"}',
  },
  'a body that is not read': { path: '/unread', headers: json, body: '{"a":1}' },
  'an error that is thrown': { method: 'GET', path: '/throws', framing: undefined },
  'an error with a status of its own': { method: 'GET', path: '/teapot', framing: undefined },
  'an error after the head': { method: 'GET', path: '/breaks', framing: undefined },
  'two responses': { method: 'GET', path: '/twice', framing: undefined },
};

function makeApp(express: Express, mount: Mount, errors: 'own' | 'of Express'): Application {
  const app = express();
  app.set('env', 'production');
  mount(app);
  app.get('/page', (_req, res) => void res.cookie('seen', '1').type('html').send('<p>page</p>'));
  app.get('/file', (_req, res) => void res.sendFile(path.resolve(__dirname, '../../fixtures/example-delivery.json')));
  app.get('/stream', (_req, res) => void Readable.from(['one', 'two']).pipe(res));
  app.get('/parts', (_req, res) => {
    res.writeHead(200, { Trailer: 'X-Sum' });
    res.write('one');
    res.addTrailers({ 'X-Sum': '2' });
    res.end('two');
  });
  app.get('/old', (_req, res) => res.redirect('/page'));
  app.delete('/thing', (_req, res) => void res.status(204).end());
  app.get('/things/:id', (req, res) => void res.json(req.params));
  app.post('/json', express.json(), (req, res) => void res.json({ body: req.body as unknown, query: req.query }));
  app.post('/unread', (_req, res) => void res.send('unread'));
  app.get('/throws', () => {
    throw new Error('thrown');
  });
  app.get('/teapot', (_req, _res, next) => next(Object.assign(new Error('teapot'), { status: 418 })));
  app.get('/breaks', (_req, res, next) => {
    res.write('half');
    next(new Error('broken'));
  });
  app.get('/twice', (_req, res) => {
    res.json('first');
    res.json('second');
  });
  app.use(kiketErrorHandler());
  if (errors === 'own') app.use(ownErrorHandler);
  return app;
}

function ownErrorHandler(error: Error & { status?: number }, _req: Request, res: Response, next: NextFunction): void {
  if (res.headersSent) return next(error);
  res.status(error.status ?? 500).send(`own: ${error.message}`);
}

async function responsesOf(app: Application): Promise<Record<string, string>> {
  return withRawServer(app, async ({ send }) => {
    const responses: Record<string, string> = {};
    for (const [name, request] of Object.entries(requests)) responses[name] = await send(request);
    return responses;
  });
}

describeMajors('the other routes of the application', (express) => {
  let printed: jest.SpyInstance;
  beforeEach(() => {
    printed = jest.spyOn(console, 'error').mockImplementation(() => undefined);
  });
  afterEach(() => printed.mockRestore());

  describe.each(['own', 'of Express'] as const)('with the error handler %s', (errors) => {
    it.each(Object.entries(mounts))('should send the same bytes as without us: %s', async (_name, mount) => {
      const before = await responsesOf(makeApp(express, () => undefined, errors));
      const printedBefore = printed.mock.calls.length;
      const after = await responsesOf(makeApp(express, mount, errors));
      expect(after).toEqual(before);
      expect(Object.values(before)).not.toContain('');
      expect(printed.mock.calls.length - printedBefore).toBe(printedBefore);
    });
  });

  it.each(Object.entries(mounts))('should serve several requests on one connection: %s', async (_name, mount) => {
    const pipelined = (port: number) =>
      new Promise<string>((resolve) => {
        const socket = connect(port, '127.0.0.1').setEncoding('latin1');
        let received = '';
        socket.on('data', (text: string) => (received += text)).on('close', () => resolve(received));
        const head = 'POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n';
        const chunked = `${head}Transfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n0\r\n\r\n`;
        socket.write(`${chunked}${chunked}${head}Content-Length: 7\r\nConnection: close\r\n\r\n{"a":2}`);
      });
    const [before, after] = await Promise.all(
      [() => undefined, mount].map((each: Mount) =>
        withRawServer(makeApp(express, each, 'own'), ({ port }) => pipelined(port)),
      ),
    );
    expect(after!.replace(/^Date: .*\r\n/gm, '')).toBe(before!.replace(/^Date: .*\r\n/gm, ''));
    expect(after!.match(/HTTP\/1\.1 200 OK/g)).toHaveLength(3);
  });

  it.each<[string, Mount, string]>(
    Object.entries(mounts).flatMap(([name, mount]) =>
      ['Content-Length: 100', 'Transfer-Encoding: chunked'].map((framing): [string, Mount, string] => [
        `${name}, ${framing}`,
        mount,
        framing,
      ]),
    ),
  )(
    'should give the error handler the same error of a broken connection as without us: %s',
    async (name, mount, framing) => {
      const observes = name.startsWith('report-only');
      const errorOf = async (each: Mount): Promise<unknown> => {
        const app = express();
        each(app);
        const failed = new Promise((resolve) => {
          app.post('/json', express.json(), () => resolve('the handler has run'));
          app.use((error: { status?: number; type?: string }, _req: Request, _res: Response, _next: NextFunction) =>
            resolve({ status: error.status, type: error.type }),
          );
        });
        return withRawServer(
          (req, res) => {
            app(req, res);
            // After the head has arrived, so that the connection ends while the body is being read.
            setImmediate(() => socket.destroy());
          },
          async ({ port }) => {
            socket = connect(port, '127.0.0.1');
            await once(socket, 'connect');
            const signature = observes ? `X-Kiket-Signature: ${'0'.repeat(64)}\r\n` : '';
            const head = `POST /json HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${signature}`;
            socket.write(`${head}${framing}\r\n\r\n`);
            socket.write(framing.includes('chunked') ? '3\r\n{"a\r\n' : '{"a');
            return failed;
          },
        );
      };
      let socket: ReturnType<typeof connect>;
      expect(await errorOf(mount)).toEqual(await errorOf(() => undefined));
    },
  );
});
