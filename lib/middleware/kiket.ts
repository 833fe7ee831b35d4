import { isObject } from '../guards';
import { describe, optionError, readOptions, requireCalled, type Option, type OptionTable } from '../options';
import { passOnUnsigned, runStage, runVerification, type Stage } from '../exchange/pipeline';
import { createParse, PARSE_OPTIONS, type KiketParseOptions } from './parse';
import { RAW_BODY_OPTIONS, type KiketRawBodyOptions } from './raw-body';
import { createRespond, RESPOND_OPTIONS, type KiketRespondOptions } from './respond';
import { createVerify, isUnsigned, isVouchedFor, VERIFY_OPTIONS } from './verify';
import type { KiketSecretSource, KiketVerifyOptions } from './verify';
import type { KiketMiddleware } from '../exchange/express';

export type { KiketRequestState } from '../exchange/express';

export interface KiketOptions extends KiketRawBodyOptions, KiketVerifyOptions, KiketParseOptions, KiketRespondOptions {
  secret: KiketSecretSource;
}

/** createVerify checks it. */
const secretOption: Option<KiketSecretSource, KiketSecretSource> = {
  default: undefined,
  read: (value) => value as KiketSecretSource,
};

const OPTIONS = {
  secret: secretOption,
  ...RAW_BODY_OPTIONS,
  ...VERIFY_OPTIONS,
  ...PARSE_OPTIONS,
  ...RESPOND_OPTIONS,
} satisfies OptionTable<KiketOptions>;

/**
 * The whole path before the handler as one function: kiketRespond, kiketRawBody, kiketVerify and kiketParse, with the
 * options of all. The deadline is armed before the body is read, so it also ends one that trickles.
 *
 * @throws {TypeError} at start-up, as each of them does.
 */
export function kiket(options: Readonly<KiketOptions>): KiketMiddleware {
  requireCalled('kiket({ secret })', options);
  if (!isObject(options) || !('secret' in options)) {
    throw optionError('kiket', 'options', 'an object with a secret: kiket({ secret })', `is ${describe(options)}`);
  }
  const values = readOptions('kiket', options, OPTIONS);
  const isOptional = !values.signatureRequired;
  const respond = createRespond(values);
  // What is passed on must be whole; otherwise parse follows, and nobody reads again.
  const verify = createVerify('kiket', values.secret, values, values.reportOnly);
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
    else if (isVouchedFor(req)) runStage(receiveVerified, req, res, next);
    else passOnUnsigned(req, res, next);
  };
}
