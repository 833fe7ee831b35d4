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

/** Ways in which a service's own handler may read a body that nobody has parsed. */
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

const bodies = Object.entries(sizes).flatMap(([size, bytes]) =>
  framings.map((framing) => ({ size, framing, body: JSON.stringify(payloadOf(bytes)) })),
);

describeMajors('a body parser after kiketVerify', (express) => {
  describe.each(Object.entries(mounts))('mounted %s', (_name, mount) => {
    /** A service that exists: its own parser, and a handler that knows nothing of this package. */
    function service(
      parser: KiketMiddleware,
      handler: (req: Request) => unknown = (req) => req.body as unknown,
      verify = kiketVerify(secret),
    ) {
      const app = express();
      app.set('env', 'test');
      const { before, stages } = mount(verify, [parser]);
      for (const stage of before) app.use(stage);
      app.post('/kiket', ...stages, (req, res, next) => {
        Promise.resolve(handler(req)).then((found) => res.json({ found }), next);
      });
      app.use(kiketErrorHandler());
      return app;
    }

    async function foundBy(app: ReturnType<typeof service>, body: string, framing: Framing): Promise<unknown[]> {
      const answers = await deliverTwice(app, body, { framing });
      return answers.map((answer) => answer && (JSON.parse(answer.text) as { found?: unknown }).found);
    }

    it.each(bodies)('should parse JSON of $size, framed by $framing', async ({ body, framing }) => {
      const parsed = JSON.parse(body) as unknown;
      expect(await foundBy(service(parsers['express.json()']!(express)), body, framing)).toEqual([parsed, parsed]);
    });

    it.each(bodies)('should parse $size, framed by $framing, after a look-up of the secret', async (row) => {
      const lookUp = kiketVerify(() => new Promise((resolve) => setImmediate(resolve, secret)));
      const app = service(parsers['express.json()']!(express), undefined, lookUp);
      const parsed = JSON.parse(row.body) as unknown;
      expect(await foundBy(app, row.body, row.framing)).toEqual([parsed, parsed]);
    });

    it.each(bodies)('should read a text of $size, framed by $framing', async ({ body, framing }) => {
      expect(await foundBy(service(parsers['express.text()']!(express)), body, framing)).toEqual([body, body]);
    });

    it.each(bodies)('should read a Buffer of $size, framed by $framing', async ({ body, framing }) => {
      const app = service(parsers['express.raw()']!(express), (req) => (req.body as Buffer).toString());
      expect(await foundBy(app, body, framing)).toEqual([body, body]);
    });

    it.each(bodies)('should refuse by its own limit a body of $size, framed by $framing', async ({ body, framing }) => {
      const answers = await deliverTwice(service(express.json({ limit: '1kb' })), `${body} `, { framing });
      expect(answers.map((answer) => answer?.status)).toEqual([413, 413]);
    });

    const pairs = Object.entries(readers).flatMap(([name, read]) => bodies.map((body) => ({ name, read, ...body })));
    it.each(pairs)('should leave $size, framed by $framing, to $name', async ({ read, body, framing }) => {
      const app = service((_req, _res, next) => next(), read);
      expect(await foundBy(app, body, framing)).toEqual([body, body]);
    });

    it.each(bodies)('should leave $size, framed by $framing, to a handler that ignores it', async (row) => {
      const app = service(
        (_req, _res, next) => next(),
        () => 'not read',
      );
      expect(await foundBy(app, row.body, row.framing)).toEqual(['not read', 'not read']);
    });

    it.each(framings)('should leave the connection of use after a body over its limit (%s)', async (framing) => {
      const report = kiketVerify(secret, { limit: 1000, reportOnly: true });
      const app = express();
      const { before, stages } = mount(report, []);
      for (const stage of before) app.use(stage);
      app.post('/kiket', ...stages, (_req, res) => void res.json({}));
      const answers = await deliverTwice(app, JSON.stringify(payloadOf(900_000)), { framing });
      expect(answers.map((answer) => answer?.status)).toEqual([200, 200]);
    });

    it.each(framings)('should take an empty body, framed by %s, for what the parser takes it', async (framing) => {
      const { head, body } = signedRequest('', { framing });
      const bodyWith = (stage: KiketMiddleware): Promise<unknown> => {
        const app = express();
        app.set('env', 'test');
        app.post('/kiket', stage, express.json(), (req, res) => void res.json({ found: req.body as unknown }));
        // The end of a chunked body comes in a packet of its own.
        return Connection.to(app, async (connection) => {
          await connection.writeHead(head);
          const answer = await connection.write(body).answer();
          return answer && [answer.status, JSON.parse(answer.text)];
        });
      };
      const without = await bodyWith((_req, _res, next) => next());
      expect(without).toEqual([200, expect.anything()]);
      expect(await bodyWith(kiketVerify(secret))).toEqual(without);
    });
  });

  it.each(framings)(
    'should leave the connection of use when kiketParse has looked at what was passed on (%s)',
    async (framing) => {
      const app = express();
      app.post('/kiket', kiketVerify(secret, { reportOnly: true }), kiketParse(), (_req, res) => void res.json({}));
      const headers = { 'X-Kiket-Signature': 'malformed' };
      const answers = await deliverTwice(app, JSON.stringify(payloadOf(1_200_000)), { framing, headers });
      expect(answers.map((answer) => answer?.status)).toEqual([200, 200]);
    },
  );
});

describeMajors('a body parser after the delivery was read for good', (express) => {
  const ways: Record<string, () => KiketMiddleware[]> = { ...chains, 'kiketRawBody, then the rest': () => [] };

  describe.each(Object.keys(ways))('%s', (way) => {
    const table = Object.entries(parsers).flatMap(([name, parser]) =>
      bodies.map((body) => ({ name, parser, ...body })),
    );

    it.each(table)('should find $name skipping $size, framed by $framing', async ({ parser, body, framing }) => {
      const later = parser(express);
      const stages =
        way === 'kiketRawBody, then the rest'
          ? [kiketRawBody(), later, ...chains['kiketVerify, kiketParse']!(), later]
          : [...chains[way]!(), later, later];
      await expectReceived(receiver(express, { stages }), body, { framing });
    });

    it.each(framings)('should find nothing more to read, framed by %s', async (framing) => {
      const stages: KiketMiddleware[] = [...(chains[way] ?? chains['all four'])!()];
      const rest: string[] = [];
      stages.push((req, _res, next) => {
        void text(req).then((found) => {
          rest.push(found);
          next();
        }, next);
      });
      await expectReceived(receiver(express, { stages }), bodies[0]!.body, { framing });
      expect(rest).toEqual(['', '']);
    });
  });

  it.each(Object.entries(parsers))('should skip in %s after a source that left the stream', async (_name, parser) => {
    const { body } = bodies[0]!;
    const adapter: KiketMiddleware = (req, _res, next) => {
      (req as { rawBody?: unknown }).rawBody = body;
      next();
    };
    const stages = [...chains['kiketVerify, kiketParse']!(), parser(express)];
    await expectReceived(receiver(express, { before: [adapter], stages }), body);
  });
});
