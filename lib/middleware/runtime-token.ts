import type { IncomingMessage } from 'node:http';
import { headersError, peekBody } from '../body/source';
import { parseLimit } from '../body/limit';
import { goneError, holdBack } from '../body/stream';
import { refuseWhileClosing } from '../shutdown/closing-servers';
import { KiketError, SignatureError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import { requireStore, type KiketStore } from '../idempotency/store';
import { isObject, headerId } from '../guards';
import { requireBoolean, requireCalled, requireKnown } from '../options';
import type { ContractPayload } from '../delivery/payload';
import { parseObject } from '../delivery/parse-payload';
import { bindToBody } from '../runtime-token/body-binding';
import type { TokenOptions } from '../runtime-token/options';
import { noToken, refused } from '../runtime-token/refused';
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
import { textOf } from '../text';
import type { KiketMiddleware } from '../exchange/express';
import type { TokenClaims } from '../delivery/auth';

export type { KiketRequestState } from '../exchange/express';

const WHO = 'kiketRuntimeToken';
const OPTIONS = [
  'issuer',
  'jwksUrl',
  'audience',
  'store',
  'trustUnsignedBody',
  'limit',
  'now',
] as const satisfies (keyof KiketRuntimeTokenOptions)[];

export interface KiketRuntimeTokenOptions extends TokenOptions {
  /**
   * Where it is kept which body a token (`jti`) has come with, until the token expires: with another body it is 401. All replicas
   * share one store, such as that of kiketIdempotency. Default: a token is good for any body.
   */
  store?: KiketStore | undefined;
  /**
   * Without a signature by HMAC the body is covered by nothing: whoever has captured a token can send any body with it until
   * the token expires. Its secrets are therefore withheld. `true` hands them to handlers all the same. Default false.
   */
  trustUnsignedBody?: boolean | undefined;
  /** Largest body that kiketRuntimeToken reads itself: bytes, or a text such as '1mb'. Default '1mb'. */
  limit?: number | string | undefined;
}

/**
 * Lets a delivery pass only if the runtime token in it is Kiket's (`contract.md` §2): ES256, by a key of `jwksUrl`, of
 * `issuer`, not expired, and of the organization and the project that the headers name. `req.kiket.auth` then has the
 * scopes and the ids of the token.
 *
 * After kiketVerify it adds to the signature. In its place, for senders that do not sign, it makes the delivery `verified`,
 * but **the token does not protect the body**: it is good for any body until it expires. Then the body's project must be the
 * token's, kiketParse withholds its secrets (see `trustUnsignedBody`), and who can read your traffic or your logs can call
 * your handlers; a `store` lets each token pass with one body only. Bytes in `rawBody`, and what a parser of your own reads, are as the sender wrote them.
 *
 * Stands before kiketParse. Refuses with 401 `token.invalid`; with 503 `token.keys_unavailable` while the key of the token is
 * not known and the key server cannot be read; with 503 `store.unavailable`; with `payload.malformed`; and with `body.*` for what it cannot read. Needs the
 * package `jose`.
 *
 * @throws {TypeError} at start-up, when an option makes no sense, or `jose` is not installed or older than 5.9.
 */
export function kiketRuntimeToken(options: Readonly<KiketRuntimeTokenOptions>): KiketMiddleware {
  requireCalled('kiketRuntimeToken({ issuer, jwksUrl })', options);
  const verifyToken = createTokenVerifier(WHO, options);
  requireKnown(WHO, options, OPTIONS);
  const { issuer, store, trustUnsignedBody = false, now = () => Date.now() } = options;
  if (store !== undefined) requireStore(WHO, store);
  requireBoolean(WHO, 'trustUnsignedBody', trustUnsignedBody);
  const limit = parseLimit(WHO, options.limit);

  const stage: Stage = (exchange, next) => {
    if (exchange.parsed !== undefined) return failDelivery(exchange, mountedTooLate(), next);
    // What kiketVerify has passed on is decided here: with a deadline again, and a record.
    exchange.beginVerification(false);
    const refusal = refuseWhileClosing(exchange) ?? headersError(exchange, limit);
    if (refusal !== undefined) return rejectDelivery(exchange, refusal, next);
    peekBody(exchange, limit, (error, body) => {
      if (error !== undefined) return rejectDelivery(exchange, error, next);
      exchange.rawBody = body;
      // The body would be gone when the keys are there.
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

  /** Takes the delivery for authentic; or says why it is not. */
  async function admit(exchange: Exchange): Promise<KiketError | undefined> {
    const payload = parseObject(exchange.rawBody!);
    if (payload instanceof KiketError) return payload;
    const token = isObject(payload.authentication) ? textOf(payload.authentication.runtime_token) : undefined;
    if (token === undefined) return noToken();
    const claims = await verifyToken(token);
    if (claims instanceof SignatureError) return claims;
    const isSigned = exchange.delivery.signature !== undefined;
    const contradiction = contradictionTo(claims, exchange.req, isSigned ? undefined : payload);
    if (contradiction !== undefined) return refused(contradiction);
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

/** What of a delivery a token contradicts, after "The runtime token". `unsigned` is its payload, where only the token vouches for it. */
function contradictionTo(
  { organizationId, projectId }: TokenClaims,
  { headers }: IncomingMessage,
  unsigned: ContractPayload | undefined,
): string | undefined {
  const organization = headerId(headers['x-kiket-organization']);
  if (isOther(organization, organizationId)) {
    return 'is of another organization than X-Kiket-Organization says';
  }
  if (isOther(headerId(headers['x-kiket-project']), projectId)) {
    return 'is of another project than X-Kiket-Project says';
  }
  const project: unknown = isObject(unsigned?.issue) ? (unsigned.issue.project_id ?? undefined) : undefined;
  if (project !== undefined && project !== projectId) return 'is not of the project in the payload';
  return undefined;
}

function isOther(claimed: number | undefined, verified: number | undefined): boolean {
  return claimed !== undefined && verified !== undefined && claimed !== verified;
}

function mountedTooLate(): KiketError {
  return KiketError.of(
    'wiring.missing',
    `${WHO} has run after kiketParse, which has believed the delivery already. Mount it before kiketParse, or before kiket().`,
  );
}
