import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Request } from 'express';
import { kiketParse, kiketRawBody, kiketVerify, type KiketMiddleware } from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { example, secret } from '../../support/deliver';
import { describeMajors } from '../../support/express';
import { chains } from '../../support/receiver';

const body = JSON.stringify(example);
const { headers: signed } = signDelivery(body, { secret });

/** A request as an adapter creates it. The body is in a property, and the stream emits neither data nor an end. */
class AdaptedRequest extends IncomingMessage {
  rawBody: unknown = body;

  constructor(headers: Record<string, string | string[]>) {
    super(new Socket());
    this.method = 'POST';
    this.url = '/kiket';
    this.httpVersionMajor = 1;
    for (const [name, value] of Object.entries(headers)) this.headers[name.toLowerCase()] = value;
  }

  override read(): null {
    return null;
  }

  override resume(): this {
    return this;
  }
}

const withLength = { ...signed, 'Content-Length': String(Buffer.byteLength(body)) };
const chunked = { ...signed, 'Transfer-Encoding': 'chunked' };

/** Every header that is read before the body, in the form of other platforms. */
const inArrays = Object.fromEntries(
  Object.entries({
    ...withLength,
    'Content-Type': 'application/json; charset=utf-8',
    'Content-Encoding': 'identity',
  }).map(([name, value]) => [name, [value]]),
);

const stages: Record<string, () => KiketMiddleware[]> = {
  kiketRawBody: () => [kiketRawBody()],
  kiketVerify: () => [kiketVerify(secret)],
  ...chains,
};

describeMajors('a request of an adapter, whose stream never ends', (express) => {
  /** Resolves with the value that reaches the end of the chain, or the error that reaches the error handler. */
  function receive(chain: readonly KiketMiddleware[], headers: Record<string, string | string[]>): Promise<unknown> {
    return new Promise((resolve) => {
      const app = express();
      app.post('/kiket', ...chain, (req: Request) => resolve(String(req.kiket?.rawBody)));
      app.use((error: { code: string }, _req: unknown, _res: unknown, _next: unknown) => resolve(error.code));
      const req = new AdaptedRequest(headers);
      app(req as unknown as Request, new ServerResponse(req) as never);
    });
  }

  it.each(Object.entries(stages))('should go on through %s', async (_name, chain) => {
    expect(await receive(chain(), withLength)).toBe(body);
  });

  it.each(['kiketVerify', 'kiket()', 'kiketVerify, kiketParse'])(
    'should go on through %s by its signature, without a length',
    async (name) => {
      expect(await receive(stages[name]!(), chunked)).toBe(body);
    },
  );

  it('should go on through a kiketParse that reads a body that was passed on', async () => {
    const look = kiketVerify('another secret', { reportOnly: true });
    expect(await receive([look, kiketParse()], withLength)).toBe(body);
  });

  it.each(Object.entries(stages))('should go on through %s with headers in arrays', async (_name, chain) => {
    expect(await receive(chain(), inArrays)).toBe(body);
  });

  it.each([
    ['X-Kiket-Signature', 'signature.malformed'],
    ['X-Kiket-Timestamp', 'signature.mismatch'],
    ['Content-Encoding', 'body.encoding_unsupported'],
    ['Content-Type', 'body.encoding_unsupported'],
  ])('should be refused when %s has several values', async (name, code) => {
    const value = inArrays[name]![0]!;
    const other = { 'Content-Encoding': 'gzip', 'Content-Type': 'text/plain; charset=utf-7' }[name] ?? value;
    expect(await receive([kiketVerify(secret)], { ...inArrays, [name]: [value, other] })).toBe(code);
  });
});
