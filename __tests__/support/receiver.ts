import { createHash } from 'node:crypto';
import type { RequestListener, Server } from 'node:http';
import { inspect } from 'node:util';
import type { Request } from 'express';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketDelivery,
  type KiketMiddleware,
} from 'kiket-express';
import { Connection, type ReceivedResponse } from './connection';
import { secret } from './deliver';
import type { Express } from './express';
import { signedRequest, type SignedRequestOptions } from './signed-request';

/** A value that must never appear by accident in a parsed body. */
export const canary = 'canary_of_a_secret_value';

export const sizes = { '1 KB': 1024, '450 KB': 450 * 1024 };

/** A delivery that carries secrets, of `size` bytes in compact JSON. */
export function payloadOf(size: number, fill = 'x'): object {
  const payload = (padding: string): object => ({
    event: 'issue.created',
    authentication: { token_type: 'runtime', runtime_token: canary },
    secrets: { TOKEN: canary },
    context: { lines: ['one', 'two'], padding },
  });
  const missing = size - Buffer.byteLength(JSON.stringify(payload('')));
  return payload(fill.repeat(Math.floor(missing / Buffer.byteLength(fill))));
}

/** The chains of middlewares before a handler. */
export const chains: Record<string, () => KiketMiddleware[]> = {
  'kiket()': () => [kiket({ secret })],
  'kiketVerify, kiketParse': () => [kiketVerify(secret), kiketParse()],
  'all four': () => [kiketRawBody(), kiketVerify(secret), kiketParse(), kiketRespond()],
};

/** The observations of a handler. */
export interface Report {
  event: string;
  sha256: string;
  hasSecret: boolean;
  /** True when a log line or a copy of `req.body` or the payload would show a secret. */
  showsSecret: boolean;
}

export function reportOf(body: Buffer | string): Report {
  return { event: 'issue.created', sha256: sha256(body), hasSecret: true, showsSecret: false };
}

/** Reports the observations of a handler about its delivery. */
export function reportDelivery({ event, rawBody, secrets, payload }: KiketDelivery, req: Request): Report {
  const copies = [req.body, payload, { ...payload }, structuredClone(req.body)] as unknown[];
  return {
    event,
    sha256: sha256(rawBody),
    hasSecret: secrets.get('TOKEN') === canary,
    showsSecret: (JSON.stringify(copies) + inspect(copies, { depth: 9 })).includes(canary),
  };
}

export const report = kiketHandler(reportDelivery);

/** An application with `before` for every request, and `stages` and a handler on /kiket. */
export function receiver(
  express: Express,
  { before = [], stages }: { before?: readonly KiketMiddleware[]; stages: readonly KiketMiddleware[] },
): RequestListener {
  const app = express();
  app.set('env', 'test');
  for (const stage of before) app.use(stage);
  app.post('/kiket', ...stages, report, kiketErrorHandler());
  return app;
}

/** Sends the same delivery twice on one connection, the second before the response to the first. */
export async function deliverTwice(
  app: RequestListener | Server,
  payload: string | Buffer,
  options: SignedRequestOptions = {},
): Promise<(ReceivedResponse | undefined)[]> {
  const { head, body } = signedRequest(payload, options);
  return Connection.to(app, async (connection) => {
    connection.write(head, body, head, body);
    return [await connection.response(), await connection.response()];
  });
}

/** Expects that `app` receives a delivery, and another one on the same connection. */
export async function expectReceived(
  app: RequestListener | Server,
  payload: string | Buffer,
  options: SignedRequestOptions = {},
): Promise<void> {
  const responses = await deliverTwice(app, payload, options);
  expect(responses.map((response) => [response?.status, response && (JSON.parse(response.text) as unknown)])).toEqual([
    [200, reportOf(payload)],
    [200, reportOf(payload)],
  ]);
}

function sha256(bytes: Buffer | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}
