import { peekBody, takeBody } from '../body/source';
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
  /** The delivery secret, as in {@link kiketVerify}. */
  secret: KiketSecretSource;
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
export function kiket(options: Readonly<KiketOptions>): KiketMiddleware {
  requireCalled('kiket({ secret })', options);
  if (!isObject(options) || !('secret' in options)) {
    throw optionError('kiket', 'options', 'an object with a secret: kiket({ secret })', `is ${describe(options)}`);
  }
  const values = readOptions('kiket', options, OPTIONS);
  const isOptional = !values.signatureRequired;
  const respond = createRespond(values);
  // kiketRawBody's part, for which kiketVerify waits until the headers are checked. A request that may be passed on
  // keeps its body, as kiketVerify alone leaves it.
  const verify = createVerify('kiket', values.secret, values, values.reportOnly ? peekBody : takeBody);
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
