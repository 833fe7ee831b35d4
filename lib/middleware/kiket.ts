import { peekBody, takeBody } from '../body/source';
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
 * kiketRespond, kiketRawBody, kiketVerify and kiketParse in one function, with the options of all. The deadline starts
 * before the body is read, and the body is read only when the headers have passed kiketVerify.
 *
 * `reportOnly` and `signatureRequired: false` leave out kiketRawBody for the requests that they pass on: the body stays
 * in the stream.
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
  // kiketRawBody's part, for which kiketVerify waits until the headers are checked. A request that may be passed on
  // keeps its body, as kiketVerify alone leaves it.
  const verify = createVerify('kiket', secret, options, reportOnly ? peekBody : takeBody);
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
