import type { IncomingMessage, ServerResponse } from 'node:http';
import { limitOption } from '../body/limit';
import { headersError, takeBody, type BodyRequest } from '../body/source';
import { closingError } from '../shutdown/closing-servers';
import type { KiketError } from '../errors';
import { readOptions, requireCalled, type OptionTable } from '../options';
import { runStage, type Stage, failDelivery, guardStep, proceed } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

/** Options of {@link kiketRawBody}. */
export interface KiketRawBodyOptions {
  /** Largest body to read: bytes, or a string such as `'1mb'`, as in Express. Default `'1mb'`. */
  limit?: number | string | undefined;
}

/** @internal */
export const RAW_BODY_OPTIONS = { limit: limitOption } satisfies OptionTable<KiketRawBodyOptions>;

/**
 * Reads the exact bytes of the body into `req.kiket.rawBody`, from the stream or from `req.rawBody` or `req.body` where a
 * middleware before it has kept them. Later body parsers skip the request.
 *
 * Fails with `body.*`. Leave it out where `reportOnly` or `signatureRequired: false` passes requests on: kiketVerify
 * reads by itself, and leaves the body in the stream.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 * @example app.post('/kiket', kiketRawBody({ limit: '2mb' }), kiketVerify(secret), kiketParse(), handler);
 */
export function kiketRawBody(options: Readonly<KiketRawBodyOptions> = {}): KiketMiddleware {
  requireCalled('kiketRawBody()', options);
  const { limit } = readOptions('kiketRawBody', options, RAW_BODY_OPTIONS);

  const stage: Stage = (exchange, next) => {
    const error = closingError(exchange) ?? headersError(exchange, limit);
    if (error !== undefined) return failDelivery(exchange, error, next);
    const finish = guardStep(exchange, next, (error: KiketError | undefined, body: Buffer) => {
      if (error !== undefined) return failDelivery(exchange, error, next);
      exchange.rawBody = body;
      proceed(exchange, next);
    });
    takeBody(exchange, limit, finish);
  };
  return function kiketRawBodyMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

/**
 * Keeps the bytes that a parser of the service reads: `express.json({ limit: '1mb', verify: captureRawBody })`.
 *
 * Sets `req.rawBody` of requests with `X-Kiket-Signature` only, so that other bodies are not held twice.
 *
 * @throws {TypeError} when it is mounted as a middleware.
 * @example app.use(express.json({ limit: '1mb', verify: captureRawBody }));
 */
export function captureRawBody(req: IncomingMessage, _res: ServerResponse, buffer: Buffer, encoding: string): void {
  // Express takes a function of four parameters for an error handler, and passes `next` last.
  if (typeof encoding === 'function') {
    throw new TypeError('captureRawBody is mounted as a middleware: write express.json({ verify: captureRawBody })');
  }
  if (req.headers['x-kiket-signature'] !== undefined) (req as BodyRequest).rawBody = buffer;
}
