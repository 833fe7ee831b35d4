import { createConnectApi } from '../api/delivery-api';
import { readApiOptions, type KiketApiOptions } from '../api/options';
import { asParserError, setParsedBody, skipLaterParsers } from '../body/later-parsers';
import { peekBody } from '../body/source';
import { checkPayload, readEvent, type NamedEvent } from '../delivery/check-payload';
import { ParsedDelivery, type ParseSettings } from '../delivery/parsed-delivery';
import { parseObject } from '../delivery/parse-payload';
import type { ContractPayload } from '../delivery/payload';
import { deliveryProjectId, payloadProjectId } from '../delivery/project-id';
import { compileSchemas } from '../delivery/schema';
import { hideSecrets, removeSecrets, withholdSecrets, type SecretValues } from '../delivery/secrets';
import { KiketError } from '../errors';
import type { Exchange } from '../exchange/exchange';
import type { KiketMiddleware } from '../exchange/express';
import { runStage, type Stage, failDelivery, guardStep, proceed } from '../exchange/pipeline';
import { ABSENT_RESPONDER, type KiketResponder } from '../exchange/responder';
import { wiringMissing } from '../exchange/wiring-errors';
import { describe, requireCalled, requireRecord } from '../options';

export type { KiketRequestState } from '../exchange/express';

export interface KiketParseOptions {
  /**
   * JSON Schemas (draft-07) of your own, by `name` or `name@version`, in addition to the contract's. Compiled at start-up
   * with Ajv, which is loaded only then. `format` is not supported; use `pattern`.
   */
  payloadSchemas?: Readonly<Record<string, object | boolean>> | undefined;
  /** Values for secrets that a delivery does not carry, e.g. from the environment. */
  fallbackSecrets?: Readonly<Record<string, string | undefined>> | undefined;
  /** Options for calls to Kiket's API. */
  api?: Readonly<KiketApiOptions> | undefined;
}

const NONE = Object.freeze({});

/**
 * Parses and checks a verified delivery, and sets the fields of `req.kiket` and `req.body`. Later body parsers skip the
 * request. Needs kiketVerify.
 *
 * The signed body decides: fails with 400 `delivery.conflict` when a header, path parameter or query differs from it, and
 * with `payload.malformed` or `payload.invalid` when it is not as the contract says.
 *
 * @throws {TypeError} at start-up, when an option is invalid or a schema does not compile.
 */
export function kiketParse(options: Readonly<KiketParseOptions> = {}): KiketMiddleware {
  requireCalled('kiketParse()', options);
  requireRecord('kiketParse', 'the argument', options);
  const parse = createParse('kiketParse', options);
  return function kiketParseMiddleware(req, res, next) {
    runStage(parse, req, res, next);
  };
}

/** @internal */
export function createParse(who: string, options: Readonly<KiketParseOptions>): Stage {
  const { payloadSchemas = NONE } = options;
  const validators = compileSchemas(who, payloadSchemas);
  const apiSettings = readApiOptions(who, options.api);
  const settings: ParseSettings = Object.freeze({
    fallbackSecrets: copySecrets(who, options.fallbackSecrets),
    apiKey: apiSettings.apiKey,
    connectApi: createConnectApi(apiSettings),
  });

  return function parse(exchange, next) {
    if (exchange.authenticity.status === 'unsigned') return next();
    if (exchange.authenticity.status === 'reported') return parseReported(exchange, settings, next);
    if (!exchange.delivery.verified) return failDelivery(exchange, wiringMissing('kiketParse', 'kiketVerify'), next);

    const payload = exchange.bodyObject ?? parseObject(exchange.rawBody!);
    exchange.bodyObject = undefined;
    if (payload instanceof KiketError) return failDelivery(exchange, payload, next);
    const named = checkPayload(payload, exchange.req, validators);
    if (named instanceof KiketError) return failDelivery(exchange, named, next);

    const withheld = exchange.trustsBody ? undefined : withholdSecrets(payload);
    exchange.parsed = new ParsedDelivery(exchange, settings, payload, payloadProjectId(payload), withheld);
    hideSecrets(payload);
    setFields(exchange, payload, named);
    setParsedBody(exchange.req, exchange.delivery.payload);
    (exchange.res as { kiket?: KiketResponder }).kiket ??= ABSENT_RESPONDER;
    skipLaterParsers(
      exchange,
      guardStep(exchange, next, () => proceed(exchange, next)),
    );
  };
}

/** Sets what may be known of an unverified delivery, without its secrets, token and scopes. The body stays in the stream. */
function parseReported(exchange: Exchange, settings: ParseSettings, next: (error?: unknown) => void): void {
  const finish = guardStep(exchange, next, (error: KiketError | undefined, body: Buffer) => {
    if (error?.code === 'body.aborted') return next(asParserError(error));
    const parsed = error === undefined ? parseObject(body) : {};
    const payload = parsed instanceof KiketError ? {} : parsed;
    removeSecrets(payload);
    exchange.parsed = new ParsedDelivery(exchange, settings, {}, undefined, undefined);
    setFields(exchange, payload, readEvent(payload, exchange.req));
    next();
  });
  peekBody(exchange, exchange.limit, finish);
}

function setFields(exchange: Exchange, payload: ContractPayload, named: Partial<NamedEvent>): void {
  const { delivery, token, req } = exchange;
  delivery.event = named.event;
  delivery.eventVersion = named.eventVersion;
  delivery.payload = payload as NonNullable<typeof delivery.payload>;
  delivery.projectId = deliveryProjectId(payload, token, req.headers);
}

function copySecrets(who: string, secrets: KiketParseOptions['fallbackSecrets'] = NONE): SecretValues {
  requireRecord(who, 'fallbackSecrets', secrets);
  for (const [key, value] of Object.entries(secrets)) {
    if (value !== undefined && typeof value !== 'string') {
      throw new TypeError(`${who}: fallbackSecrets.${key} is ${describe(value)}; give a string, or undefined`);
    }
  }
  return Object.freeze({ ...secrets });
}
