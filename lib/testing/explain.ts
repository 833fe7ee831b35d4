import { explainRequest, type SignatureExplanation } from '../explain/explain';
import type { HeaderLine } from '../sending/http-message';
import { boolean, describe, optionError, readOptions, string, optional, type OptionTable } from '../options';
import { toKeys, type KiketSecret, type KiketSignatureScheme } from '../signature/hmac';
import { SIGNATURE_OPTIONS } from '../signature/signature-headers';
import { isObject } from '../guards';
import { types } from 'node:util';

/** A request whose signature is explained. What signDelivery returns is one. */
export interface ExplainedDelivery {
  /** By their names in any case, or in order. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>> | readonly HeaderLine[];
  /** The exact body received. */
  readonly body: string | Uint8Array;
  /** Default `POST`. */
  readonly method?: string | undefined;
  /** The URL or the path, which some senders sign. */
  readonly url?: string | undefined;
}

/** Options of {@link explainSignature}. */
export interface ExplainSignatureOptions {
  /** The schemes that the receiver accepts. Default both. */
  signatureSchemes?: readonly KiketSignatureScheme[] | undefined;
  /** Largest distance of `X-Kiket-Timestamp` from now, in either direction, in seconds, from 0. Default `300`. */
  toleranceSeconds?: number | undefined;
  /** The clock of the receiver, which returns milliseconds since 1970. Default `Date.now`. */
  now?: (() => number) | undefined;
  /** Name of the variable that holds the secret: a sender may have signed with the name. Default `KIKET_WEBHOOK_SECRET`. */
  secretName?: string | undefined;
  /** `true` also returns all other explanations. Default `false`. */
  all?: boolean | undefined;
  /** `true` also returns the right signature, with which others can forge the request. Default `false`. */
  showExpected?: boolean | undefined;
}

const WHO = 'explainSignature';

const OPTIONS = {
  ...SIGNATURE_OPTIONS,
  secretName: optional(string()),
  all: boolean(false),
  showExpected: boolean(false),
} satisfies OptionTable<ExplainSignatureOptions>;

/**
 * Returns why the signature of a request does not match, and what mends it: tries thousands of ways in which senders, proxies and
 * parsers change secrets, bodies and signatures. Takes up to a second for a body of 20 KB. The result contains neither secret nor
 * right signature.
 *
 * @param secrets the delivery secret; or several, the current one first.
 * @throws {TypeError} when the request, a secret or an option is invalid.
 * @example const { verdict, causes } = explainSignature({ headers: req.headers, body: req.kiket.rawBody }, secret);
 */
export function explainSignature(
  request: Readonly<ExplainedDelivery>,
  secrets: KiketSecret | readonly KiketSecret[],
  options: Readonly<ExplainSignatureOptions> = {},
): SignatureExplanation {
  const { now, secretName, all, showExpected, ...settings } = readOptions(WHO, options, OPTIONS);
  const known = toKeys(WHO, secrets).map((key) => ({ value: key.export(), source: secretName ?? '' }));
  if (!isObject(request)) throw optionError(WHO, 'request', 'an object', `is ${describe(request)}`);
  const { headers, body, method = 'POST', url } = request;
  return explainRequest(
    { method, url, headers: toLines(headers), body: toBuffer(body) },
    {
      ...settings,
      secrets: known,
      others: [],
      nowSeconds: Math.floor(now() / 1000),
      isAll: all,
      showsExpected: showExpected,
    },
  );
}

function toLines(headers: unknown): HeaderLine[] {
  if (Array.isArray(headers)) return headers as HeaderLine[];
  if (!isObject(headers)) throw optionError(WHO, 'headers', 'an object or an array', `is ${describe(headers)}`);
  return Object.entries(headers).flatMap(([name, value]): HeaderLine[] => {
    const values = Array.isArray(value) ? (value as string[]) : value === undefined ? [] : [value as string];
    return values.map((each) => [name, each]);
  });
}

function toBuffer(body: unknown): Buffer {
  if (typeof body === 'string') return Buffer.from(body);
  if (types.isUint8Array(body)) return Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  throw optionError(WHO, 'body', 'a string or a Uint8Array with the exact bytes received', `is ${describe(body)}`);
}
