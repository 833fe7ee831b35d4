import { headersError, peekBody } from '../body/source';
import { limitOption } from '../body/limit';
import { goneError, holdBack } from '../body/stream';
import { closingError } from '../shutdown/closing-servers';
import { KiketError, SignatureError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { storeOption, type KiketStore } from '../idempotency/store';
import { isObject, nonEmptyString } from '../guards';
import { boolean, optional, readOptions, requireCalled, type OptionTable } from '../options';
import { parseObject } from '../delivery/parse-payload';
import { bindToBody } from '../runtime-token/body-binding';
import { TOKEN_OPTIONS, type TokenOptions } from '../runtime-token/options';
import { contradictionTo } from '../runtime-token/contradiction';
import { missingTokenError } from '../runtime-token/token-errors';
import { createTokenVerifier } from '../runtime-token/token-verifier';
import {
  runVerification,
  type Stage,
  failDelivery,
  failUncaught,
  guardStep,
  proceed,
  rejectDelivery,
} from '../exchange/pipeline';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketRuntimeToken';
/** Options of {@link kiketRuntimeToken}. */
export interface KiketRuntimeTokenOptions extends TokenOptions {
  /**
   * Binds each token (`jti`) to the first body that it comes with, until it expires: another body is rejected with 401.
   * All replicas share one store, such as that of kiketIdempotency. Default none: a token is valid for any body.
   */
  store?: KiketStore | undefined;
  /**
   * `true` passes the secrets of a body without an HMAC signature to handlers. Nothing protects such a body: a captured
   * token can be sent with any other until it expires. Default `false`.
   */
  trustUnsignedBody?: boolean | undefined;
  /** Largest body that kiketRuntimeToken reads itself: bytes, or a string such as `'1mb'`. Default `'1mb'`. */
  limit?: number | string | undefined;
}

const OPTIONS = {
  ...TOKEN_OPTIONS,
  store: optional(storeOption),
  trustUnsignedBody: boolean(false),
  limit: limitOption,
} satisfies OptionTable<KiketRuntimeTokenOptions>;

/**
 * Lets a delivery pass only if its runtime token is valid: signed by Kiket with ES256 and a key of `jwksUrl`, from `issuer`,
 * not expired, and of the organization and project in the headers. `req.kiket.auth` then has the scopes and ids of the token.
 *
 * Mount it before kiketParse. After kiketVerify it adds to the signature. In its place it makes a delivery `verified`, but
 * **the token does not protect the body**: see `trustUnsignedBody` and `store`. Each organization and project that
 * the body names must then be the token's.
 *
 * Refuses with 401 `token.invalid`, with 503 `token.keys_unavailable` while the key of the token is unknown and the key
 * server cannot be read, with 503 `store.unavailable`, with `payload.malformed`, and with `body.*`.
 *
 * @throws {TypeError} at start-up, when an option is invalid or unknown, or `jose` is not installed or older than 6.0.8.
 * @example app.post('/kiket', kiketRuntimeToken({ issuer: 'kiket.dev', jwksUrl }), kiketParse(), handler);
 */
export function kiketRuntimeToken(options: Readonly<KiketRuntimeTokenOptions>): KiketMiddleware {
  requireCalled('kiketRuntimeToken({ issuer, jwksUrl })', options);
  const { store, trustUnsignedBody, limit, ...settings } = readOptions(WHO, options, OPTIONS);
  const { issuer, now } = settings;
  const verifyToken = createTokenVerifier(WHO, settings);

  const stage: Stage = (exchange, next) => {
    if (exchange.parsed !== undefined) return failDelivery(exchange, mountedTooLateError(), next);
    // A delivery that kiketVerify only reported on gets a deadline and a record here.
    exchange.beginVerification(false);
    const refusal = closingError(exchange) ?? headersError(exchange, limit);
    if (refusal !== undefined) return rejectDelivery(exchange, refusal, next);
    peekBody(exchange, limit, (error, body) => {
      if (error !== undefined) return rejectDelivery(exchange, error, next);
      exchange.rawBody = body;
      // Otherwise the body would be gone when the keys arrive.
      const release = holdBack(exchange.req);
      admit(exchange).then(
        guardStep(exchange, next, (refused) => {
          release();
          const refusal = refused ?? (exchange.isStreamed ? goneError(exchange.req) : undefined);
          if (refusal === undefined) proceed(exchange, next);
          else rejectDelivery(exchange, refusal, next);
        }),
        (error: unknown) => failUncaught(exchange, error, next),
      );
    });
  };

  /** Marks the delivery as verified, or resolves to the error why it is not. */
  async function admit(exchange: Exchange): Promise<KiketError | undefined> {
    const payload = parseObject(exchange.rawBody!);
    if (payload instanceof KiketError) return payload;
    const token = isObject(payload.authentication) ? nonEmptyString(payload.authentication.runtime_token) : undefined;
    if (token === undefined) return missingTokenError();
    const claims = await verifyToken(token);
    if (claims instanceof SignatureError) return claims;
    const isSigned = exchange.delivery.signature !== undefined;
    const contradiction = contradictionTo(claims, exchange.req, isSigned ? undefined : payload);
    if (contradiction !== undefined) return contradiction;
    const misuse = store && (await bindToBody(store, exchange, claims, { issuer, now }));
    if (misuse !== undefined) return misuse;
    exchange.bodyObject = payload;
    exchange.acceptToken(claims, trustUnsignedBody);
    return undefined;
  }

  return function kiketRuntimeTokenMiddleware(req, res, next) {
    runVerification(stage, req, res, next);
  };
}

function mountedTooLateError(): KiketError {
  return KiketError.of(
    'wiring.missing',
    `${WHO} ran after kiketParse, which already used the delivery. Mount it before kiketParse, or before kiket().`,
  );
}
