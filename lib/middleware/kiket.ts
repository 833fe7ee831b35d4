import type { KiketMiddleware } from '../delivery';
import { kiketParse, type KiketParseOptions } from './parse';
import type { KiketRawBodyOptions } from './raw-body';
import { kiketRespond, type KiketRespondOptions } from './respond';
import { createVerify, isUnsigned, type KiketSecretSource, type KiketVerifyOptions } from './verify';

export type { KiketRequestState } from '../delivery';

export interface KiketOptions extends KiketRawBodyOptions, KiketVerifyOptions, KiketParseOptions, KiketRespondOptions {
  secret: KiketSecretSource;
}

/**
 * The whole path before the handler as one function: kiketRespond, kiketRawBody, kiketVerify and kiketParse, with the
 * options of all. The deadline is armed before the body is read, so it also ends one that trickles.
 *
 * @throws {TypeError} at start-up, as each of them does.
 */
export function kiket(options: Readonly<KiketOptions>): KiketMiddleware {
  const { secret, signatureRequired = true, reportOnly = false } = options;
  const respond = kiketRespond(options);
  const parse = kiketParse(options);
  // What is passed on must be whole; otherwise kiketParse follows, and nobody reads again.
  const verify = createVerify('kiket', secret, options, reportOnly);

  return function kiketMiddleware(req, res, next) {
    if (!signatureRequired && isUnsigned(req)) return verify(req, res, next);
    respond(req, res, () => {
      verify(req, res, (error) => (error === undefined ? parse(req, res, next) : next(error)));
    });
  };
}
