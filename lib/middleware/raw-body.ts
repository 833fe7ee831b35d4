import type { IncomingMessage, ServerResponse } from 'node:http';
import { obtainBody, refuseByHeaders, skipLaterParsers, type BodyRequest } from '../body/source';
import { limitOption } from '../body/headers';
import { refuseWhileClosing } from '../shutdown/closing-servers';
import { requireCalled, readOptions, type OptionTable } from '../options';
import { runStage, type Stage, failDelivery, guardStep, proceed } from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

export interface KiketRawBodyOptions {
  /** Largest body to read: bytes, or a text such as '1mb', as in Express. Default '1mb'. */
  limit?: number | string | undefined;
}

/** @internal */
export const RAW_BODY_OPTIONS = { limit: limitOption } satisfies OptionTable<KiketRawBodyOptions>;

/**
 * Takes the exact bytes of the request, from wherever they are: `req.kiket.rawBody`, `req.rawBody`, `req.body`, or the
 * stream. Gives `req.kiket.rawBody`; later body parsers skip the request.
 *
 * Refuses with `body.too_large`, `body.encoding_unsupported`, `body.length_mismatch`, `body.aborted`, and with
 * `body.already_parsed` when a parser before it has kept no bytes. Leave it out where `reportOnly` or
 * `signatureRequired: false` passes requests on: kiketVerify reads for itself, and gives back.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown.
 */
export function kiketRawBody(options: Readonly<KiketRawBodyOptions> = {}): KiketMiddleware {
  requireCalled('kiketRawBody()', options);
  const { limit } = readOptions('kiketRawBody', options, RAW_BODY_OPTIONS);

  const stage: Stage = (exchange, next) => {
    const refusal = refuseWhileClosing(exchange) ?? refuseByHeaders(exchange, limit);
    if (refusal !== undefined) return failDelivery(exchange, refusal, next);
    const goOn = guardStep(exchange, next, () => proceed(exchange, next));
    obtainBody(exchange, limit, false, (error, body) => {
      if (error !== undefined) return failDelivery(exchange, error, next);
      exchange.rawBody = body;
      skipLaterParsers(exchange, goOn);
    });
  };
  return function kiketRawBodyMiddleware(req, res, next) {
    runStage(stage, req, res, next);
  };
}

/**
 * Keeps the bytes that a parser of the service reads anyway: `express.json({ limit: '1mb', verify: captureRawBody })`.
 *
 * Sets `req.rawBody`, only on requests that carry `X-Kiket-Signature`, so that the rest of the service does not hold
 * every body twice.
 */
export function captureRawBody(req: IncomingMessage, _res: ServerResponse, buffer: Buffer, encoding: string): void {
  // Its four parameters make it an error handler to Express, which gives it `next` last.
  if (typeof encoding === 'function') {
    throw new TypeError('captureRawBody is mounted as a middleware: write express.json({ verify: captureRawBody })');
  }
  if (req.headers['x-kiket-signature'] !== undefined) (req as BodyRequest).rawBody = buffer;
}
