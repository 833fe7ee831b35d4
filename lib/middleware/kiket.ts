import { isObject } from '../guards';
import { describe, requireCalled } from '../options';
import { passOnUnsigned, runStage, runVerification, type Stage } from '../exchange/pipeline';
import { createParse, type KiketParseOptions } from './parse';
import type { KiketRawBodyOptions } from './raw-body';
import { createRespond, type KiketRespondOptions } from './respond';
import { createVerify, isUnsigned, isVouchedFor, type KiketSecretSource, type KiketVerifyOptions } from './verify';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

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
  requireCalled('kiket({ secret })', options);
  if (!isObject(options) || !('secret' in options)) {
    throw new TypeError(
      `kiket: the options must be an object with a secret, but are ${describe(options)}; write kiket({ secret })`,
    );
  }
  const { secret, signatureRequired, reportOnly = false } = options;
  const isOptional = signatureRequired === false;
  const respond = createRespond('kiket', options);
  // What is passed on must be whole; otherwise parse follows, and nobody reads again.
  const verify = createVerify('kiket', secret, options, reportOnly);
  const parse = createParse('kiket', options);

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
    else if (isVouchedFor(req)) runStage(receiveVerified, req, res, next);
    else passOnUnsigned(req, res, next);
  };
}
