import type { Express as Application, NextFunction, Request, Response } from 'express';
import { kiket, kiketParse, kiketRespond, kiketVerify, type KiketVerifyOptions } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { bodyReaders, type BodyReader } from '../../support/body-readers';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { withRawServer, type RawRequest } from '../../support/raw-http';

type Mount = (app: Application, options: KiketVerifyOptions) => unknown;

const limit = 2000;
const sizes = [0, 1, limit, limit + 1, 150_000];

const alone: Record<string, Mount> = {
  'kiketVerify on a path': (app, options) => app.use('/kiket', kiketVerify(secret, options)),
  'kiketVerify on the whole application': (app, options) => app.use(kiketVerify(secret, options)),
};
const whole: Record<string, Mount> = {
  'kiket() on a path': (app, options) => app.use('/kiket', kiket({ secret, ...options })),
  'kiket() on the whole application': (app, options) => app.use(kiket({ secret, ...options })),
  'kiketRespond, kiketVerify and kiketParse': (app, options) =>
    app.use(kiketRespond(), kiketVerify(secret, options), kiketParse()),
};
const readers = Object.keys(bodyReaders);

function eachOf(mounts: Record<string, Mount>): [string, string, Mount, BodyReader][] {
  return Object.entries(mounts).flatMap(([where, mount]) =>
    readers.map((reader): [string, string, Mount, BodyReader] => [where, reader, mount, bodyReaders[reader]!]),
  );
}

function makeApp(express: Express, reader: BodyReader, mount: (app: Application) => unknown): Application {
  const app = express();
  mount(app);
  app.post('/kiket', ...reader.handlers(express));
  app.use((error: { status?: number; type?: string }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status ?? 500).json({ type: error.type });
  });
  return app;
}

type Signing = 'valid' | 'unsigned' | 'wrongly signed';

const framings: Record<string, Pick<RawRequest, 'framing' | 'atOnce'>> = {
  'with length': { framing: 'length' },
  chunked: { framing: 'chunked' },
  'chunked and at once': { framing: 'chunked', atOnce: true },
};

function requestsTo(reader: BodyReader, signings: readonly Signing[], bodySizes = sizes): [string, RawRequest][] {
  return signings.flatMap((signing) =>
    bodySizes.flatMap((size) =>
      Object.entries(framings).map(([how, framing]): [string, RawRequest] => {
        const body = reader.makeBody(size);
        const headers = { ...headersFor(signing, body), 'Content-Type': reader.contentType };
        return [`${signing}, ${size} bytes, ${how}`, { headers, body, ...framing }];
      }),
    ),
  );
}

function headersFor(signing: Signing, body: string): Record<string, string> {
  if (signing === 'unsigned') return {};
  return signDelivery(body, { secret: signing === 'valid' ? secret : 'another secret' }).headers;
}

/** The answers of an application, by the name of the request. */
async function answersOf(app: Application, requests: readonly [string, RawRequest][]): Promise<Record<string, string>> {
  return withRawServer(app, async ({ send }) => {
    const answers: Record<string, string> = {};
    for (const [name, request] of requests) answers[name] = await send(request);
    return answers;
  });
}

describeMajors('what is passed on', (express) => {
  async function expectUntouched(
    reader: BodyReader,
    mount: (app: Application) => unknown,
    requests: readonly [string, RawRequest][],
  ): Promise<void> {
    const before = await answersOf(
      makeApp(express, reader, () => undefined),
      requests,
    );
    const after = await answersOf(makeApp(express, reader, mount), requests);
    expect(after).toEqual(before);
    expect(Object.values(before).filter((answer) => !answer.startsWith('HTTP/1.1 '))).toEqual([]);
  }

  it.each(eachOf(alone))('should answer as without us: report-only %s, before %s', (_where, _reader, mount, reader) =>
    expectUntouched(
      reader,
      (app) => mount(app, { reportOnly: true, limit }),
      requestsTo(reader, ['valid', 'unsigned', 'wrongly signed']),
    ),
  );

  it.each(eachOf(whole))('should answer as without us: report-only %s, before %s', (_where, _reader, mount, reader) =>
    expectUntouched(
      reader,
      (app) => mount(app, { reportOnly: true, limit }),
      requestsTo(reader, ['unsigned', 'wrongly signed']),
    ),
  );

  it.each(eachOf({ ...alone, ...whole }))(
    'should answer the unsigned as without us: signatureRequired: false in %s, before %s',
    (_where, _reader, mount, reader) =>
      expectUntouched(
        reader,
        (app) => mount(app, { signatureRequired: false, limit }),
        requestsTo(reader, ['unsigned'], [0, 1, limit + 1]),
      ),
  );

  it.each(eachOf(alone))(
    'should answer the validly signed as without us: signatureRequired: false in %s, before %s',
    (_where, _reader, mount, reader) =>
      expectUntouched(
        reader,
        (app) => mount(app, { signatureRequired: false, limit }),
        requestsTo(reader, ['valid'], [0, 1, limit]),
      ),
  );
});
