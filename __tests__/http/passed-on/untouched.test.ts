import type { Express as Application, NextFunction, Request, Response } from 'express';
import { kiket, kiketParse, kiketRespond, kiketVerify, type KiketVerifyOptions } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { bodyReaders, type BodyReader } from '../../support/body-readers';
import { secret } from '../../support/deliver';
import { describeMajors, type Express } from '../../support/express';
import { pairs } from '../../support/pairs';
import { withRawServer, type RawRequest } from '../../support/raw-http';

type Signing = 'valid' | 'unsigned' | 'wrongly signed';

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
const mounts = { ...alone, ...whole };

/** The requests that a middleware passes on, by its options. */
const rules: Record<string, { options: KiketVerifyOptions; signings: readonly Signing[]; sizes: number[] }> = {
  'reportOnly: true': { options: { reportOnly: true }, signings: ['unsigned', 'wrongly signed'], sizes },
  'reportOnly: true, valid too': { options: { reportOnly: true }, signings: ['valid'], sizes },
  'signatureRequired: false': {
    options: { signatureRequired: false },
    signings: ['unsigned'],
    sizes: [0, 1, limit + 1],
  },
  'signatureRequired: false, valid too': {
    options: { signatureRequired: false },
    signings: ['valid'],
    sizes: [0, 1, limit],
  },
};

const rows = pairs(
  { rule: Object.keys(rules), mount: Object.keys(mounts), reader: Object.keys(bodyReaders) },
  // A valid delivery is parsed by kiketParse.
  ({ rule, mount }) => !(rule.endsWith('valid too') && mount in whole),
);

function makeApp(express: Express, reader: BodyReader, mount: (app: Application) => unknown): Application {
  const app = express();
  mount(app);
  app.post('/kiket', ...reader.handlers(express));
  app.use((error: { status?: number; type?: string }, _req: Request, res: Response, _next: NextFunction) => {
    res.status(error.status ?? 500).json({ type: error.type });
  });
  return app;
}

const framings: Record<string, Pick<RawRequest, 'framing' | 'atOnce'>> = {
  'with length': { framing: 'length' },
  chunked: { framing: 'chunked' },
  'chunked and at once': { framing: 'chunked', atOnce: true },
};

function requestsTo(
  reader: BodyReader,
  signings: readonly Signing[],
  bodySizes: readonly number[],
): [string, RawRequest][] {
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

/** The responses of an application, by the name of the request. */
async function responsesOf(
  app: Application,
  requests: readonly [string, RawRequest][],
): Promise<Record<string, string>> {
  return withRawServer(app, async ({ send }) => {
    const responses: Record<string, string> = {};
    for (const [name, request] of requests) responses[name] = await send(request);
    return responses;
  });
}

describeMajors('a request that is passed on', (express) => {
  it.each(rows)('should get the response it gets without us: $rule in $mount, before $reader', async (row) => {
    const { options, ...which } = rules[row.rule]!;
    const reader = bodyReaders[row.reader]!;
    const requests = requestsTo(reader, which.signings, which.sizes);
    const mount = (app: Application): unknown => mounts[row.mount]!(app, { ...options, limit });
    const before = await responsesOf(
      makeApp(express, reader, () => undefined),
      requests,
    );
    const after = await responsesOf(makeApp(express, reader, mount), requests);
    expect(after).toEqual(before);
    expect(Object.values(before).filter((response) => !response.startsWith('HTTP/1.1 '))).toEqual([]);
  });
});
