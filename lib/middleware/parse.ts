import { createConnectApi } from '../api/delivery-api';
import { readApiOptions, type KiketApiOptions } from '../api/options';
import { asParserError, setParsedBody, skipLaterParsers } from '../body/later-parsers';
import { peekBody } from '../body/source';
import { ParsedDelivery, type ParseSettings } from '../delivery/parsed-delivery';
import { KiketError, PayloadError } from '../errors';
import { agree, readClaims } from '../delivery/unsigned-values';
import { normalizeVersion } from '../delivery/event-pattern';
import type { Exchange } from '../exchange/exchange';
import { describe, requireCalled, requireRecord } from '../options';
import type { ContractPayload } from '../delivery/payload';
import { parseObject } from '../delivery/parse-payload';
import { ABSENT_RESPONDER, type KiketResponder } from '../exchange/responder';
import { compileSchemas, violationsBy, type Validators } from '../delivery/schema';
import { hideSecrets, removeSecrets, withholdSecrets, type SecretValues } from '../delivery/secrets';
import { runStage, type Stage } from '../exchange/pipeline';
import { textOf } from '../text';
import { validateContract } from '../delivery/validate-contract';
import { wiringMissing } from '../exchange/wiring-errors';
import type { KiketMiddleware } from '../exchange/express';
import { headerId, isId } from '../guards';
import { scrub } from '../redaction';
import { DEFAULT_VERSION } from '../api/client';

export type { KiketRequestState } from '../exchange/express';

export interface KiketParseOptions {
  /**
   * JSON Schemas (draft-07) of your own, by `name` or `name@version`, beside the contract's. Compiled at start-up, with
   * Ajv, which is loaded only then. `format` is not known; use `pattern`.
   */
  payloadSchemas?: Readonly<Record<string, object | boolean>> | undefined;
  /** Values for secrets that a delivery does not carry, e.g. from the environment. */
  fallbackSecrets?: Readonly<Record<string, string | undefined>> | undefined;
  /** For calls to Kiket's API. */
  api?: Readonly<KiketApiOptions> | undefined;
}

const NONE = Object.freeze({});

/**
 * Reads a verified delivery: strict UTF-8, a JSON object without `__proto__`, the contract's schema (`contract.md` §3).
 *
 * Gives `event`, `eventVersion`, `payload`, `secrets`, `auth`, `api`, `invocationId`, `projectId` and `organizationId` on
 * `req.kiket`, and the payload as `req.body`; later body parsers skip the request. The signed body decides: a header,
 * path parameter or query that contradicts it is 400 `delivery.conflict`. Refuses with `payload.malformed` and
 * `payload.invalid`. Needs kiketVerify.
 *
 * @throws {TypeError} at start-up, when a schema does not compile.
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
    const { req } = exchange;
    if (exchange.passedOn === 'unsigned') return next();
    if (exchange.passedOn === 'refused') {
      const readAndGoOn = exchange.guarded(next, (error: KiketError | undefined, body: Buffer) => {
        if (error?.code === 'body.aborted') return next(asParserError(error));
        readUnverified(exchange, settings, error === undefined ? body : undefined);
        next();
      });
      return peekBody(exchange, exchange.limit, readAndGoOn);
    }
    if (!exchange.delivery.verified) return exchange.refuse(wiringMissing('kiketParse', 'kiketVerify'), next);

    const error = read(exchange, settings, validators);
    if (error !== undefined) return exchange.refuse(error, next);
    setParsedBody(req, exchange.delivery.payload);
    (exchange.res as { kiket?: KiketResponder }).kiket ??= ABSENT_RESPONDER;
    skipLaterParsers(
      exchange,
      exchange.guarded(next, () => exchange.proceed(next)),
    );
  };
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

/** Fills in the delivery; or says why it is none. */
function read(exchange: Exchange, settings: ParseSettings, validators: Validators): PayloadError | undefined {
  const payload = exchange.bodyObject ?? parseObject(exchange.rawBody!);
  exchange.bodyObject = undefined;
  if (payload instanceof KiketError) return payload;
  const violations = violationsBy(validateContract, payload);
  if (violations.length > 0) return invalid(violations);

  const claims = readClaims(exchange.req);
  const event = agree(payload.event, claims.event);
  if (event instanceof KiketError) return withoutSecrets(event, payload);
  if (event === undefined) {
    return invalid([{ pointer: '/event', reason: 'is missing, in the body and around it' }]);
  }
  const version = agree(payload.event_version, claims.version, normalizeVersion);
  if (version instanceof KiketError) return withoutSecrets(version, payload);
  const eventVersion = version ?? DEFAULT_VERSION;
  for (const key of [event, `${event}@${eventVersion}`]) {
    const violations = violationsBy(validators.get(key), payload);
    if (violations.length > 0) return invalid(violations);
  }

  const withheld = exchange.trustsBody ? undefined : withholdSecrets(payload);
  exchange.parsed = new ParsedDelivery(exchange, settings, payload, projectOf(payload), withheld);
  hideSecrets(payload);
  fill(exchange, payload, event, eventVersion);
  return undefined;
}

/** A conflict quotes names that a sender has chosen. Secrets of the payload are not known to others yet, who would remove them. */
function withoutSecrets(
  { message, details }: PayloadError,
  { secrets, authentication }: ContractPayload,
): PayloadError {
  const values = [...Object.values(secrets ?? NONE), authentication?.runtime_token];
  const texts = values.flatMap((value) => textOf(value) ?? []);
  return PayloadError.of('delivery.conflict', scrub(message, texts), {
    details: details.map(({ reason }) => ({ reason: scrub(reason, texts) })),
  });
}

/** Gives what can be given of a delivery that nobody has verified: never its secrets, its token or its scopes. */
function readUnverified(exchange: Exchange, settings: ParseSettings, body: Buffer | undefined): void {
  const parsed = body === undefined ? {} : parseObject(body);
  const payload = parsed instanceof KiketError ? {} : parsed;
  removeSecrets(payload);
  exchange.parsed = new ParsedDelivery(exchange, settings, {}, undefined, undefined);
  const claims = readClaims(exchange.req);
  const event = textOf(payload.event) ?? claims.event[0]?.value;
  const version = textOf(payload.event_version) ?? claims.version[0]?.value ?? DEFAULT_VERSION;
  fill(exchange, payload, event, normalizeVersion(version));
}

function fill(exchange: Exchange, payload: ContractPayload, event: string | undefined, eventVersion: string): void {
  const { delivery } = exchange;
  delivery.event = event;
  delivery.eventVersion = eventVersion;
  delivery.payload = payload as NonNullable<typeof delivery.payload>;
  // A header does not stand in for a signed value, even one that is no id.
  const isNamed = (payload.issue?.project_id ?? undefined) !== undefined;
  delivery.projectId = isNamed ? projectOf(payload) : unsignedProject(exchange);
}

/** Where the payload names no project. A header does not stand in for what a verified token leaves open either. */
function unsignedProject({ token, req }: Exchange): number | undefined {
  return token === undefined ? headerId(req.headers['x-kiket-project']) : token.projectId;
}

function projectOf({ issue }: ContractPayload): number | undefined {
  const id: unknown = issue?.project_id;
  return isId(id) ? id : undefined;
}

function invalid(details: KiketError['details']): PayloadError {
  return PayloadError.of('payload.invalid', 'The payload is not as the contract says. The details name each place.', {
    details,
  });
}
