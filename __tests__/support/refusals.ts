import type { RequestListener } from 'node:http';
import {
  kiket,
  kiketErrorHandler,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketErrorCode,
  type KiketErrorDetail,
  type KiketMiddleware,
  type KiketOptions,
  type KiketReply,
} from 'kiket-express';
import { signDelivery } from 'kiket-express/testing';
import { accessLog, type AccessLog } from './access-log';
import { Connection, type ReceivedResponse } from './connection';
import { example, secret } from './deliver';
import type { Express } from './express';
import { signedRequest, type SignedRequest, type SignedRequestOptions } from './signed-request';

export type Options = Partial<KiketOptions>;

/** The chains of middlewares before a handler. */
export const pathsToHandler: Readonly<Record<string, (options: Options) => KiketMiddleware[]>> = {
  'kiket()': (options) => [kiket({ secret, ...options })],
  'the middlewares one by one': ({ secret: source = secret, limit, ...options }) => {
    const { payloadSchemas, fallbackSecrets, api, deadlineMs, onCompleted, ...verifyOptions } = options;
    return [
      kiketRawBody({ limit }),
      kiketVerify(source, { limit, ...verifyOptions }),
      kiketParse({ payloadSchemas, fallbackSecrets, api }),
      kiketRespond({ deadlineMs, onCompleted }),
    ];
  },
};

export const pathNames = Object.keys(pathsToHandler);

/** The response to a refused delivery. */
export interface Refusal {
  readonly status: number;
  readonly code: KiketErrorCode;
  readonly retryable: boolean;
  readonly retryAfter: string | undefined;
}

/** Kiket gives up the delivery. */
export function final(status: number, code: KiketErrorCode): Refusal {
  return { status, code, retryable: false, retryAfter: undefined };
}

/** Kiket sends the delivery again. */
export function retried(status: number, code: KiketErrorCode): Refusal {
  return { status, code, retryable: true, retryAfter: undefined };
}

/** A delivery, signed with the secret of all tests unless `delivery` says otherwise, and its expected refusal. */
export interface Case {
  readonly name: string;
  readonly payload?: object | string | Buffer;
  readonly delivery?: SignedRequestOptions;
  readonly options?: Options;
}

export interface RefusedCase extends Case {
  readonly refusal: Refusal;
  /** A delivery that the same application receives. Default the contract's example. */
  readonly valid?: SignedRequestOptions & { readonly payload?: object };
}

export interface Observed {
  readonly app: RequestListener;
  readonly log: AccessLog;
}

/** An application with an access log, `stages`, and a handler for any event. */
export function observed(
  express: Express,
  stages: readonly KiketMiddleware[],
  handler: KiketMiddleware = kiketHandler(({ event }): KiketReply => ({ event })),
): Observed {
  const app = express();
  const log = accessLog();
  app.set('env', 'test');
  app.use(log.middleware);
  const routes = ['/kiket', '/webhooks/:event', '/v/:version/webhooks/:event'];
  app.post(routes, ...stages, handler, kiketErrorHandler());
  return { app, log };
}

/** Sends requests on one connection, each after the response to the one before. */
export async function responsesTo(
  app: RequestListener,
  requests: readonly SignedRequest[],
): Promise<(ReceivedResponse | undefined)[]> {
  return Connection.to(app, async (connection) => {
    const responses = [];
    for (const { head, body } of requests) responses.push(await connection.write(head, body).response());
    return responses;
  });
}

/** Expects a refusal, which an access log can read, and after it that a valid delivery is received. */
export async function expectRefused(
  { app, log }: Observed,
  { payload = example, delivery = {}, refusal, valid: { payload: validPayload = example, ...valid } = {} }: RefusedCase,
): Promise<{ details: KiketErrorDetail[]; text: string }> {
  const [refused, received] = await responsesTo(app, [
    signedRequest(bytesOf(payload), delivery),
    signedRequest(JSON.stringify(validPayload), valid),
  ]);
  const { error } = JSON.parse(refused!.text) as { error: { code: string; retryable: boolean; details: [] } };
  const { code, retryable, details } = error;
  expect({ status: refused!.status, code, retryable, retryAfter: refused!.headers['retry-after'] }).toEqual(refusal);
  await expect(Promise.all(log.entries)).resolves.toHaveLength(2);
  expect(received?.status).toBe(200);
  return { details, text: refused!.text };
}

/** Expects that a delivery is received, and that the handler of `observed` returns `reply`. */
export async function expectReceived(
  { app, log }: Observed,
  { payload = example, delivery = {} }: Case,
  reply?: object,
): Promise<void> {
  const [response] = await responsesTo(app, [signedRequest(bytesOf(payload), delivery)]);
  expect([response?.status, response?.text]).toEqual([200, reply ? JSON.stringify(reply) : response?.text]);
  await expect(Promise.all(log.entries)).resolves.toHaveLength(1);
}

export function bytesOf(payload: object | string | Buffer): string | Buffer {
  return typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
}

/** The signature headers of one payload, to be sent with another or in another form. */
export function signatureOf(
  payload: object | string | Buffer,
  options: SignedRequestOptions = {},
): Record<string, string> {
  return signDelivery(payload, { secret, ...options }).headers;
}

/** A header line that is sent twice. */
export function twice(name: string, value: string, second = value): Record<string, string> {
  return { [name]: `${value}\r\n${name}: ${second}` };
}
