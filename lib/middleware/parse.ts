import { createConnectApi } from '../api/delivery-api';
import { apiOption, type KiketApiOptions } from '../api/api-options';
import { asParserError, setParsedBody, skipLaterParsers } from '../body/later-parsers';
import { peekBody } from '../body/source';
import { checkPayload, readEvent, type NamedEvent } from '../delivery/check-payload';
import { ParsedDelivery, type ParseSettings } from '../delivery/parsed-delivery';
import type { KiketManifest } from '../delivery/manifest';
import { manifestOption } from '../delivery/manifest-option';
import { parseObject } from '../delivery/parse-payload';
import type { ContractPayload } from '../delivery/payload';
import { GUARD_EVENTS } from '../delivery/reply';
import { deliveryProjectId, payloadProjectId } from '../delivery/ids';
import { schemasOption } from '../delivery/schema';
import { hideSecrets, removeSecrets, withholdSecrets, type SecretValues } from '../delivery/secrets';
import { KiketError } from '../errors';
import { createDeadlineFor } from '../exchange/deadline';
import type { Exchange } from '../exchange/exchange';
import type { KiketMiddleware } from '../exchange/express';
import { runStage, type Stage, failDelivery, guardStep, proceed } from '../exchange/pipeline';
import { ABSENT_RESPONDER, type KiketResponder } from '../exchange/responder';
import { wiringMissingError } from '../exchange/wiring-errors';
import { boolean, describe, list, optionError, readOptions, requireCalled, requireObject, string } from '../options';
import type { Option, OptionTable, OptionValues } from '../options';
import { quoted } from '../text';

export type { KiketRequestState } from '../exchange/express';

/** Options of {@link kiketParse}. */
export interface KiketParseOptions {
  /**
   * JSON Schemas (draft-07) of payloads, by `name` or `name@version` of the event, in addition to the contract's.
   * Compiled at start-up with Ajv, which is loaded only then. `format` is not supported; use `pattern`. Default none.
   */
  payloadSchemas?: Readonly<Record<string, object | boolean>> | undefined;
  /**
   * The manifest that loadManifest() returned. It supplies `delivery.settings`, the secrets that `fallbackSecrets` does
   * not have, and the `extensionId` of `api`, unless that has one. Default none.
   */
  manifest?: KiketManifest | undefined;
  /** Values by name for secrets that a delivery does not carry, e.g. from the environment. Default none. */
  fallbackSecrets?: Readonly<Record<string, string | undefined>> | undefined;
  /** Options for calls to Kiket's API: {@link KiketApiOptions}. Default none. */
  api?: Readonly<KiketApiOptions> | undefined;
  /** Further events that need a decision. `workflow.before_transition` and `before_transition` always do. Default none. */
  guardEvents?: readonly string[] | undefined;
  /**
   * `true` rejects an event that only header, path or query name, with 422 `payload.invalid`. They are not signed:
   * whoever replays the request to another path would choose the event. Default `false`.
   */
  signedEventRequired?: boolean | undefined;
}

const NONE = Object.freeze({});

const fallbackSecretsOption: Option<NonNullable<KiketParseOptions['fallbackSecrets']>, SecretValues> = {
  default: NONE,
  read(value, who, name) {
    requireObject(who, name, value);
    // Absent ones would replace those of a manifest.
    const given = Object.entries(value).filter(([, secret]) => secret !== undefined);
    for (const [key, secret] of given) {
      if (typeof secret === 'string') continue;
      throw optionError(who, `${name}.${quoted(key)}`, 'a string', `is ${describe(secret)}`);
    }
    return Object.freeze(Object.fromEntries(given) as SecretValues);
  },
};

/** @internal */
export const PARSE_OPTIONS = {
  payloadSchemas: schemasOption,
  manifest: manifestOption,
  fallbackSecrets: fallbackSecretsOption,
  api: apiOption,
  guardEvents: list(string(), { default: [] }),
  signedEventRequired: boolean(false),
} satisfies OptionTable<KiketParseOptions>;

/**
 * Parses and checks a verified delivery, and sets the fields of `req.kiket` and `req.body`. Later body parsers skip the
 * request. Needs kiketVerify.
 *
 * The signed body decides: fails with 400 `delivery.conflict` when a header, path parameter or query differs from it, and
 * with `payload.malformed` or `payload.invalid` when it is not as the contract says.
 *
 * @throws {TypeError} at start-up, when a schema does not compile, or an option is invalid or unknown.
 * @example app.post('/kiket', kiketVerify(secret), kiketParse({ fallbackSecrets: { CRM_TOKEN } }), handler);
 */
export function kiketParse(options: Readonly<KiketParseOptions> = {}): KiketMiddleware {
  requireCalled('kiketParse()', options);
  const parse = createParse(readOptions('kiketParse', options, PARSE_OPTIONS));
  return function kiketParseMiddleware(req, res, next) {
    runStage(parse, req, res, next);
  };
}

/** @internal */
export function createParse({
  payloadSchemas: validators,
  manifest,
  fallbackSecrets,
  api,
  guardEvents,
  signedEventRequired,
}: OptionValues<typeof PARSE_OPTIONS>): Stage {
  const rules = { validators, signedEventRequired };
  const guards = new Set([...GUARD_EVENTS, ...guardEvents]);
  const deadlineFor = createDeadlineFor(manifest);
  const { apiKey } = api;
  const settings: ParseSettings = Object.freeze({
    fallbackSecrets: { ...manifest?.fallbackSecrets, ...fallbackSecrets },
    settings: manifest?.settings ?? NONE,
    apiKey,
    connectApi: createConnectApi({ ...api, extensionId: api.extensionId ?? manifest?.id }),
  });

  return function parse(exchange, next) {
    if (exchange.authenticity.status === 'unsigned') return next();
    if (exchange.authenticity.status === 'reported') return parseReported(exchange, settings, guards, next);
    if (!exchange.delivery.verified)
      return failDelivery(exchange, wiringMissingError('kiketParse', 'kiketVerify'), next);

    const payload = exchange.bodyObject ?? parseObject(exchange.rawBody!);
    exchange.bodyObject = undefined;
    if (payload instanceof KiketError) return failDelivery(exchange, payload, next);
    const named = checkPayload(payload, exchange.req, rules);
    if (named instanceof KiketError) return failDelivery(exchange, named, next);

    const withheld = exchange.trustsBody ? undefined : withholdSecrets(payload);
    exchange.parsed = new ParsedDelivery(exchange, settings, payload, payloadProjectId(payload), withheld);
    hideSecrets(payload);
    setFields(exchange, payload, named, guards);
    exchange.shortenDefaultDeadline(deadlineFor(named.event, exchange.delivery.isGuard));
    setParsedBody(exchange.req, exchange.delivery.payload);
    (exchange.res as { kiket?: KiketResponder }).kiket ??= ABSENT_RESPONDER;
    skipLaterParsers(
      exchange,
      guardStep(exchange, next, () => proceed(exchange, next)),
    );
  };
}

/** Sets what may be known of an unverified delivery, without its secrets, token and scopes. The body stays in the stream. */
function parseReported(
  exchange: Exchange,
  settings: ParseSettings,
  guards: ReadonlySet<string>,
  next: (error?: unknown) => void,
): void {
  const finish = guardStep(exchange, next, (error: KiketError | undefined, body: Buffer) => {
    if (error?.code === 'body.aborted') return next(asParserError(error));
    const parsed = error === undefined ? parseObject(body) : {};
    const payload = parsed instanceof KiketError ? {} : parsed;
    removeSecrets(payload);
    exchange.parsed = new ParsedDelivery(exchange, settings, {}, undefined, undefined);
    setFields(exchange, payload, readEvent(payload, exchange.req), guards);
    next();
  });
  peekBody(exchange, exchange.limit, finish);
}

function setFields(
  exchange: Exchange,
  payload: ContractPayload,
  named: Partial<NamedEvent>,
  guards: ReadonlySet<string>,
): void {
  const { delivery, token, req } = exchange;
  delivery.event = named.event;
  delivery.envelope = named.envelope ?? 'contract';
  delivery.eventSigned = named.isInBody === true && exchange.trustsBody;
  delivery.isGuard = named.event !== undefined && guards.has(named.event);
  delivery.deliveryId = exchange.trustsBody ? named.id : undefined;
  delivery.eventVersion = named.eventVersion;
  delivery.payload = payload as NonNullable<typeof delivery.payload>;
  delivery.projectId = deliveryProjectId(payload, token, req.headers);
}
