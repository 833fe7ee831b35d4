import type { IncomingMessage } from 'node:http';
import type { Request } from 'express';
import { asParsersReport, obtainBody, refuseByHeaders } from '../body/source';
import { limitOption } from '../body/headers';
import { refuseWhileClosing } from '../shutdown/closing-servers';
import { KiketError, SignatureError } from '../errors';
import { callSafely } from '../callbacks';
import {
  MAX_DELAY_MS,
  requireCalled,
  boolean,
  callback,
  clock,
  list,
  number,
  oneOf,
  readOptions,
  type OptionTable,
  type OptionValues,
} from '../options';
import { createKeyFinder, type AnyRequest, type KiketSecretSource } from '../signature/secret-lookup';
import { findKey, parseMac, type KiketSignature, type KiketSignatureScheme } from '../signature/hmac';
import { passOnUnsigned, runVerification, type Stage, guardStep, proceed, rejectDelivery } from '../exchange/pipeline';
import { exchangeOf } from '../exchange/exchange';
import { signatureMissing } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';
import { headerText } from '../text';

export type { KiketRequestState } from '../exchange/express';
export type { KiketSecretSource } from '../signature/secret-lookup';
export type { KiketSecret } from '../signature/hmac';

export interface KiketVerifyOptions {
  /** Largest body that kiketVerify reads itself: bytes, or a text such as '1mb'. Default '1mb'. */
  limit?: number | string | undefined;
  /**
   * What may be signed: `<timestamp>.<body>`, the body alone, or both (default). A signature of the body alone never
   * goes stale: a captured request can be sent again.
   */
  signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
  /** How far `X-Kiket-Timestamp` may be from now, in either direction, in seconds. Default 300. */
  toleranceSeconds?: number | undefined;
  /**
   * `false` passes a request without a signature on, unread. A plain handler must then check `req.kiket?.verified`.
   * A wrong signature is still refused. Default true.
   */
  signatureRequired?: boolean | undefined;
  /** Passes on what would be refused, unverified and without its secrets, after `onRefused`. Default false. */
  reportOnly?: boolean | undefined;
  /** How long a secret function may take, in milliseconds. Default 5000. */
  lookupTimeoutMs?: number | undefined;
  /** Told of every refusal, also in strict mode. What it throws is ignored. */
  onRefused?: ((error: KiketError, req: AnyRequest) => void | PromiseLike<void>) | undefined;
  /** The clock: milliseconds since 1970. Default `Date.now`, as it is when a delivery comes. */
  now?: (() => number) | undefined;
}

/** @internal */
export const VERIFY_OPTIONS = {
  limit: limitOption,
  signatureSchemes: list(oneOf('body', 'timestamped'), { default: ['body', 'timestamped'], nonEmpty: true }),
  toleranceSeconds: number({ default: 300, min: 0, max: Number.MAX_SAFE_INTEGER }),
  signatureRequired: boolean(true),
  reportOnly: boolean(false),
  lookupTimeoutMs: number({ default: 5000, min: 1, max: MAX_DELAY_MS }),
  onRefused: callback(),
  now: clock(),
} satisfies OptionTable<KiketVerifyOptions>;

/**
 * Lets a delivery pass only if it was signed with `secret` and is fresh (`contract.md` §2).
 *
 * Judges the headers first, then takes the bytes from where they are, or reads them and gives them back, so that a
 * parser and a handler that exist work as before. Gives `req.kiket.verified`, `signature` and `rawBody`. Refuses with
 * `signature.*`, and with `body.*` for what it cannot read.
 *
 * @throws {TypeError} at start-up, when a secret is empty or has white space around it, or an option is invalid or unknown.
 */
export function kiketVerify(secret: KiketSecretSource, options: Readonly<KiketVerifyOptions> = {}): KiketMiddleware {
  requireCalled('kiketVerify(secret)', secret);
  const values = readOptions('kiketVerify', options, VERIFY_OPTIONS);
  const verify = createVerify('kiketVerify', secret, values, true);
  const isOptional = !values.signatureRequired;
  return function kiketVerifyMiddleware(req, res, next) {
    if (!isOptional || !isUnsigned(req)) runVerification(verify, req, res, next);
    else if (isVouchedFor(req)) next();
    else passOnUnsigned(req, res, next);
  };
}

/** @internal kiketVerify, which gives back what it reads unless nobody is to read it again. */
export function createVerify(
  who: string,
  secret: KiketSecretSource,
  values: OptionValues<typeof VERIFY_OPTIONS>,
  giveBack: boolean,
): Stage {
  const { limit, toleranceSeconds, reportOnly, onRefused, now } = values;
  const schemes: ReadonlySet<KiketSignatureScheme> = new Set(values.signatureSchemes);
  const findKeys = createKeyFinder(who, secret, values.lookupTimeoutMs);

  return function verify(exchange, next) {
    const { req } = exchange;
    // Until it is verified, a delivery that is only reported on has no deadline.
    exchange.beginVerification(reportOnly);
    exchange.limit = limit;
    const closing = reportOnly ? undefined : refuseWhileClosing(exchange);
    if (closing !== undefined) return refuse(closing);

    const claim = readClaim(req);
    if (claim instanceof KiketError) return refuse(claim);
    const { mac, timestamp } = claim;
    // Before the look-up: what its headers alone refuse costs none.
    const refusal = refuseByHeaders(exchange, limit);
    if (refusal !== undefined) return refuse(refusal);
    const receive = guardStep(exchange, next, (error: KiketError | undefined, body: Buffer) =>
      error === undefined ? compare(body) : refuse(error),
    );
    findKeys(
      exchange,
      guardStep(exchange, next, (keys) => {
        if (keys instanceof KiketError) return refuse(keys);
        exchange.authenticity.keys = keys;
        obtainBody(exchange, limit, giveBack, receive, isSigned);
      }),
    );

    function isSigned(body: Buffer): boolean {
      return findKey(exchange.authenticity.keys, mac, body, timestamp) !== -1;
    }

    function compare(body: Buffer): void {
      exchange.rawBody = body;
      const secretIndex = findKey(exchange.authenticity.keys, mac, body, timestamp);
      if (secretIndex === -1) return refuse(mismatch(timestamp, body));
      const signature: KiketSignature = {
        scheme: timestamp === undefined ? 'body' : 'timestamped',
        secretIndex,
        timestampSeconds: timestamp === undefined ? undefined : Number(timestamp),
      };
      exchange.accept(signature, mac, reportOnly);
      proceed(exchange, next);
    }

    function refuse(error: KiketError): void {
      callSafely(onRefused, error, req as unknown as Request);
      if (!reportOnly) rejectDelivery(exchange, error, next);
      else if (error.code === 'body.aborted') next(asParsersReport(error));
      else proceed(exchange, next);
    }
  };

  function readClaim(req: IncomingMessage): Claim | KiketError {
    const { headers } = req;
    const header = headers['x-kiket-signature'];
    if (header === undefined) return signatureMissing(req);
    const mac = parseMac(headerText(header));
    if (mac === undefined) return malformed('X-Kiket-Signature', '64 hex digits, with or without sha256= before them');

    const timestamp = headerText(headers['x-kiket-timestamp']);
    const isTimestamp = timestamp !== undefined && DIGITS.test(timestamp);
    // A sender that signs the body alone may tell the time in a form of its own.
    if (schemes.has('body') && !(isTimestamp && schemes.has('timestamped'))) return { mac, timestamp: undefined };
    if (timestamp === undefined) return schemeRefused();
    if (!isTimestamp) return malformed('X-Kiket-Timestamp', 'seconds since 1970, in digits');
    let nowSeconds: number;
    try {
      nowSeconds = Math.floor(now() / 1000);
    } catch (cause) {
      return clockFailed(cause);
    }
    const ageSeconds = nowSeconds - Number(timestamp);
    return Math.abs(ageSeconds) <= toleranceSeconds ? { mac, timestamp } : stale(ageSeconds, toleranceSeconds);
  }
}

/** What the headers say, before a byte of the body is read. */
interface Claim {
  readonly mac: Buffer;
  readonly timestamp: string | undefined;
}

const DIGITS = /^\d+$/;

/** @internal */
export function isUnsigned({ headers }: IncomingMessage): boolean {
  return headers['x-kiket-signature'] === undefined;
}

/** @internal Whether a runtime token has proven already what a signature would. */
export function isVouchedFor(req: IncomingMessage): boolean {
  return exchangeOf(req)?.delivery.verified === true;
}

function malformed(header: string, form: string): SignatureError {
  return SignatureError.of('signature.malformed', `${header} is malformed. Send it once, as ${form}.`);
}

function mismatch(timestamp: string | undefined, body: Buffer): SignatureError {
  const signed = timestamp === undefined ? 'the body' : '<X-Kiket-Timestamp>.<body>';
  const end = body.at(-1) === NEWLINE ? 'a newline' : 'no newline';
  return SignatureError.of(
    'signature.mismatch',
    `X-Kiket-Signature is not the HMAC-SHA256 of ${signed} with a configured secret. The body has ${body.length} bytes, with ${end} at its end. ` +
      'Compare the secret with the manifest, and look for a proxy that changes bodies. ' +
      'The README of kiket-express says under "Replays" what is signed with a timestamp, and what without.',
  );
}

const NEWLINE = 0x0a;

function schemeRefused(): SignatureError {
  return SignatureError.of(
    'signature.scheme_refused',
    'The delivery is signed without a timestamp, which signatureSchemes does not list.',
  );
}

function stale(ageSeconds: number, toleranceSeconds: number): SignatureError {
  const distance = ageSeconds > 0 ? 'old' : 'ahead';
  return SignatureError.of(
    'signature.stale',
    `X-Kiket-Timestamp is more than ${toleranceSeconds} s ${distance}. It counts seconds; compare the clocks of both sides.`,
  );
}

function clockFailed(cause: unknown): KiketError {
  return KiketError.of(
    'handler.failed',
    'The clock of kiketVerify (now) failed. Its error is the `cause` of this one.',
    {
      cause,
    },
  );
}
