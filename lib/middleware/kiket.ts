import { peekBody, takeBody } from '../body/source';
import type { KiketManifest } from '../delivery/manifest';
import { isObject } from '../guards';
import { describe, optionError, readOptions, requireCalled, unchecked, type OptionTable } from '../options';
import { isVerified, passOnUnsigned, runStage, runVerification, type Stage } from '../exchange/pipeline';
import { createParse, PARSE_OPTIONS, type KiketParseOptions } from './parse';
import { RAW_BODY_OPTIONS, type KiketRawBodyOptions } from './raw-body';
import { createRespond, RESPOND_OPTIONS, type KiketRespondOptions } from './respond';
import { isUnsigned } from '../signature/signature-headers';
import { createVerify, VERIFY_OPTIONS } from './verify';
import type { KiketSecretSource, KiketVerifyOptions } from './verify';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

/** Options of {@link kiket}. */
export interface KiketOptions extends KiketRawBodyOptions, KiketVerifyOptions, KiketParseOptions, KiketRespondOptions {
  /**
   * The delivery secret; or several, the current one first, for the 24 hours after a rotation; or a function that looks
   * them up for a request that is not verified yet.
   */
  secret: KiketSecretSource;
}

/** Options of {@link kiket} with a manifest. Each option that is given wins over the manifest. */
export interface KiketManifestOptions extends Omit<KiketOptions, 'secret' | 'manifest'> {
  /**
   * The manifest that loadManifest() returned. It supplies the delivery secret, the deadlines, the fallback secrets and
   * `delivery.settings`. A deadline is nine tenths of the time-out of the event's hook, or of the callback, but at most
   * 9000 ms; without a time-out of its hook, that of a guard event is at most 7000 ms.
   */
  manifest: KiketManifest;
  /** The delivery secret, as without a manifest. Default that of the manifest. */
  secret?: KiketSecretSource | undefined;
}

const OPTIONS = {
  secret: unchecked<KiketSecretSource>(),
  ...RAW_BODY_OPTIONS,
  ...VERIFY_OPTIONS,
  ...PARSE_OPTIONS,
  ...RESPOND_OPTIONS,
} satisfies OptionTable<KiketOptions>;

/**
 * kiketRespond, kiketRawBody, kiketVerify and kiketParse in one function, with the options of all. The deadline starts
 * before the body is read, and the body is read only when the headers have passed kiketVerify.
 *
 * `reportOnly` and `signatureRequired: false` leave out kiketRawBody for the requests that they pass on: the body stays
 * in the stream.
 *
 * @throws {TypeError} at start-up, as each of them does.
 * @example app.post('/kiket', kiket({ secret }), kiketHandler('issue.created', handle), kiketErrorHandler());
 */
export function kiket(options: Readonly<KiketOptions>): KiketMiddleware;
/**
 * The same for an extension with a manifest, from which the secret and other options come.
 *
 * @throws {TypeError} at start-up, also when neither `secret` nor the manifest has a delivery secret.
 */
export function kiket(options: Readonly<KiketManifestOptions>): KiketMiddleware;
export function kiket(options: Readonly<KiketOptions | KiketManifestOptions>): KiketMiddleware {
  requireCalled('kiket({ secret })', options);
  if (!isObject(options) || !('secret' in options || 'manifest' in options)) {
    const expected = 'an object with a secret or a manifest: kiket({ secret })';
    throw optionError('kiket', 'options', expected, problemOfOptions(options));
  }
  const values = readOptions('kiket', options, OPTIONS);
  const isOptional = !values.signatureRequired;
  const respond = createRespond(values);
  const secret = values.secret ?? secretIn(values.manifest);
  // kiketRawBody's part, for which kiketVerify waits until the headers are checked. A request that may be passed on
  // keeps its body, as kiketVerify alone leaves it.
  const verify = createVerify('kiket', secret, values, values.reportOnly ? peekBody : takeBody);
  const parse = createParse(values);

  const receive: Stage = (exchange, next) => {
    respond(exchange);
    verify(exchange, (error) => (error === undefined ? parse(exchange, next) : next(error)));
  };
  const receiveVerified: Stage = (exchange, next) => {
    respond(exchange);
    parse(exchange, next);
  };
  return function kiketMiddleware(req, res, next) {
    if (!isOptional || !isUnsigned(req)) runVerification(receive, req, res, next);
    else if (isVerified(req)) runStage(receiveVerified, req, res, next);
    else passOnUnsigned(req, res, next);
  };
}

function problemOfOptions(options: unknown): string {
  const kind = describe(options);
  return kind === 'an object' ? 'has neither' : `is ${kind}`;
}

/** @throws {TypeError} when the manifest has no secret: it says where to set one. Without a manifest, kiketVerify throws. */
function secretIn(manifest: KiketManifest | undefined): KiketSecretSource {
  if (manifest === undefined || manifest.secret !== undefined) return manifest?.secret as KiketSecretSource;
  const { path, generation, secretName } = manifest;
  throw optionError(
    'kiket',
    'secret',
    'given, or named in the manifest',
    `${path} ${problemOf(generation, secretName)}`,
  );
}

function problemOf(generation: KiketManifest['generation'], secretName: string | undefined): string {
  if (secretName !== undefined) return `names the environment variable ${secretName}, which is unset or empty`;
  if (generation === 'M5') return 'names none: extensions of this generation (M5) receive no deliveries';
  return `names none (generation ${generation}); name one there, or pass secret beside manifest`;
}
