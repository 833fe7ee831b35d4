import { once } from 'node:events';
import { connect, constants, createServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import {
  kiket,
  kiketRawBody,
  kiketVerify,
  type KiketDelivery,
  type KiketError,
  type KiketMiddleware,
} from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { secret } from '../../support/deliver';
import { payloadOf, sizes } from '../../support/receiver';

type Stage = (req: Http2ServerRequest, res: Http2ServerResponse, next: (error?: unknown) => void) => void;

interface Found {
  code: string | undefined;
  rawBody: string | undefined;
  /** The rest of the body that the next middleware can read. */
  rest: string | undefined;
}

const stages: Record<string, () => KiketMiddleware> = {
  kiketVerify: () => kiketVerify(secret),
  kiketRawBody: () => kiketRawBody(),
  'kiket()': () => kiket({ secret }),
};

/** Sends a signed body in two parts over HTTP/2, or breaks it off after the first. */
async function send(
  stage: KiketMiddleware,
  body: string,
  options: { length?: boolean; breakOff?: boolean },
): Promise<Found> {
  const server = createServer();
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
  const client = connect(`http://127.0.0.1:${port}`).on('error', () => undefined);
  try {
    const found = new Promise<Found>((resolve, reject) => {
      server.on('request', (req, res) => {
        (stage as unknown as Stage)(req, res, (error) => {
          const rawBody = (req as { kiket?: Partial<KiketDelivery> }).kiket?.rawBody?.toString();
          const code = (error as KiketError | undefined)?.code;
          if (code !== undefined) return resolve({ code, rawBody, rest: undefined });
          text(req).then((rest) => {
            res.end();
            resolve({ code, rawBody, rest });
          }, reject);
        });
      });
    });
    const headers = { ...signDelivery(body, { secret }).headers };
    if (options.length) headers['content-length'] = String(Buffer.byteLength(body));
    const stream = client.request({ ':method': 'POST', ':path': '/kiket', ...headers }).on('error', () => undefined);
    const half = body.length / 2;
    stream.write(body.slice(0, half));
    await once(server, 'request');
    if (options.breakOff) client.destroy(undefined, constants.NGHTTP2_CANCEL);
    else stream.end(body.slice(half));
    return await found;
  } finally {
    client.destroy();
    server.close();
  }
}

describe.each(Object.entries(stages))('a delivery over HTTP/2 to %s', (name, stage) => {
  const rows = Object.entries(sizes).flatMap(([size, bytes]) =>
    [true, false].map((length) => ({ size, length, body: JSON.stringify(payloadOf(bytes)) })),
  );
  it.each(rows)('should be received: $size (content-length: $length)', async ({ body, length }) => {
    const rest = name === 'kiketVerify' ? body : '';
    expect(await send(stage(), body, { length })).toEqual({ code: undefined, rawBody: body, rest });
  });

  it.each([true, false])('should be body.aborted when it is broken off (content-length: %s)', async (length) => {
    const { code } = await send(stage(), JSON.stringify(payloadOf(1024)), { length, breakOff: true });
    expect(code).toBe('body.aborted');
  });
});

it.each([
  ['kiketVerify', undefined],
  ['kiketRawBody', undefined],
  ['kiket()', 'payload.malformed'],
])('an empty body over HTTP/2 should be read as 0 bytes by %s', async (name, code) => {
  expect(await send(stages[name]!(), '', {})).toMatchObject({ code, rawBody: '' });
});
