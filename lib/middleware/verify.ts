import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { asParserError } from '../body/later-parsers';
import { limitOption } from '../body/limit';
import { headersError, peekBody, type ObtainBody } from '../body/source';
import { closingError } from '../shutdown/closing-servers';
import { KiketError } from '../errors';
import { callSafely } from '../callbacks';
import { boolean, callback, MAX_DELAY_MS, number, readOptions, requireCalled } from '../options';
import type { OptionTable, OptionValues } from '../options';
import { createKeyFinder, type AnyRequest, type KiketSecretSource } from '../signature/secret-lookup';
import { findKey, type KiketSignatureScheme } from '../signature/hmac';
import { matchSignature } from '../signature/match-signature';
import {
  isUnsigned,
  readSignatureHeaders,
  SIGNATURE_OPTIONS,
  type SignatureHeaders,
} from '../signature/signature-headers';
import {
  isVerified,
  passOnUnsigned,
  runVerification,
  type Stage,
  guardStep,
  proceed,
  rejectDelivery,
} from '../exchange/pipeline';
import { signatureMissingError } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';
export type { KiketSecretSource } from '../signature/secret-lookup';
export type { KiketSecret } from '../signature/hmac';

/** Options of {@link kiketVerify}. */
export interface KiketVerifyOptions {
  /** Largest body that kiketVerify reads itself: bytes, or a string such as `'1mb'`. Default `'1mb'`. */
  limit?: number | string | undefined;
  /**
   * The accepted schemes, at least one: `timestamped` signs `<timestamp>.<body>`, `body` the body alone. A signature of
   * the body alone never becomes stale: a captured request can be sent again. Default both.
   */
  signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
  /** Largest distance of `X-Kiket-Timestamp` from now, in either direction, in seconds, from 0. Default `300`. */
  toleranceSeconds?: number | undefined;
  /**
   * `false` passes on a request without a signature, unread. A plain handler must then check `req.kiket?.verified`. A
   * wrong signature is still rejected. Default `true`.
   */
  signatureRequired?: boolean | undefined;
  /**
   * `true` passes on a request that would be rejected, unverified and without its secrets, after `onRefused`. Default
   * `false`.
   */
  reportOnly?: boolean | undefined;
  /** Milliseconds that a secret function may take, at least 1. Default `5000`. */
  lookupTimeoutMs?: number | undefined;
  /** Called with the error of each rejection, with and without `reportOnly`. Errors that it throws are ignored. Default none. */
  onRefused?: ((error: KiketError, req: AnyRequest) => void | PromiseLike<void>) | undefined;
  /** The clock, which returns milliseconds since 1970. Default `Date.now`, looked up for each delivery. */
  now?: (() => number) | undefined;
}

/** @internal */
export const VERIFY_OPTIONS = {
  limit: limitOption,
  ...SIGNATURE_OPTIONS,
  signatureRequired: boolean(true),
  reportOnly: boolean(false),
  lookupTimeoutMs: number({ default: 5000, min: 1, max: MAX_DELAY_MS }),
  onRefused: callback(),
} satisfies OptionTable<KiketVerifyOptions>;

/**
 * Lets a delivery pass only if it was signed with `secret` and is fresh. Sets `verified`, `signature` and `rawBody` of
 * `req.kiket`. Fails with `signature.*`, and with `body.*` when the body cannot be read.
 *
 * Checks the headers first, then reads the body and returns it to the stream: later parsers and handlers work as before.
 *
 * @throws {TypeError} at start-up, when a secret is empty or has white space around it, or an option is invalid or unknown.
 * @example app.use('/kiket', kiketVerify(process.env.KIKET_SECRET));
 */
export function kiketVerify(secret: KiketSecretSource, options: Readonly<KiketVerifyOptions> = {}): KiketMiddleware {
  requireCalled('kiketVerify(secret)', secret);
  const values = readOptions('kiketVerify', options, VERIFY_OPTIONS);
  const verify = createVerify('kiketVerify', secret, values, peekBody);
  const isOptional = !values.signatureRequired;
  return function kiketVerifyMiddleware(req, res, next) {
    if (!isOptional || !isUnsigned(req)) runVerification(verify, req, res, next);
    else if (isVerified(req)) next();
    else passOnUnsigned(req, res, next);
  };
}

/** @internal kiketVerify and kiket() differ only in how they obtain the body, between the headers and the comparison. */
export function createVerify(
  who: string,
  secret: KiketSecretSource,
  values: OptionValues<typeof VERIFY_OPTIONS>,
  obtainBody: ObtainBody,
): Stage {
  const { limit, reportOnly, onRefused } = values;
  const findKeys = createKeyFinder(who, secret, values.lookupTimeoutMs);

  return function verify(exchange, next) {
    const { req } = exchange;
    // Until it is verified, a delivery that is only reported on has no deadline.
    exchange.beginVerification(reportOnly);
    exchange.limit = limit;
    const closing = reportOnly ? undefined : closingError(exchange);
    if (closing !== undefined) return refuse(closing);

    // All that the headers show comes before the look-up of a secret, and before a byte of the body is read.
    const claimed = readHeaders(req);
    if (claimed instanceof KiketError) return refuse(claimed);
    const error = headersError(exchange, limit);
    if (error !== undefined) return refuse(error);

    const compare = guardStep(exchange, next, (error: KiketError | undefined, body: Buffer) => {
      if (error !== undefined) return refuse(error);
      exchange.rawBody = body;
      const signature = matchSignature(exchange.authenticity.keys, claimed, body);
      if (signature instanceof KiketError) return refuse(signature);
      exchange.accept(signature, claimed.mac, reportOnly);
      proceed(exchange, next);
    });
    findKeys(
      exchange,
      guardStep(exchange, next, (keys) => {
        if (keys instanceof KiketError) return refuse(keys);
        exchange.authenticity.keys = keys;
        obtainBody(exchange, limit, compare, (kept) => findKey(keys, claimed.mac, kept, claimed.timestamp) !== -1);
      }),
    );

    function refuse(error: KiketError): void {
      callSafely(onRefused, error, req as unknown as Request);
      if (!reportOnly) rejectDelivery(exchange, error, next);
      else if (error.code === 'body.aborted') next(asParserError(error));
      else proceed(exchange, next);
    }
  };

  function readHeaders(req: IncomingMessage): SignatureHeaders | KiketError {
    if (isUnsigned(req)) return signatureMissingError(req);
    try {
      return readSignatureHeaders(req.headers, values);
    } catch (cause) {
      return clockFailedError(cause);
    }
  }
}

function clockFailedError(cause: unknown): KiketError {
  const message = 'The clock of kiketVerify (now) failed. Its error is the `cause` of this one.';
  return KiketError.of('handler.failed', message, { cause });
}
