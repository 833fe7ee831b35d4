import type { KiketApi } from '../api/client';
import type { Callback } from '../api/credentials';
import type { ApiCaller, CallbackSource, ConnectApi } from '../api/delivery-api';
import { DeliveryAuth, type Authentication, type TokenClaims } from './auth';
import type { KiketId } from '../guards';
import type { KiketSettings } from './manifest';
import type { ContractPayload } from './payload';
import { DeliverySecrets, WithheldSecrets, type KiketSecrets, type SecretValues } from './secrets';

/** The options of kiketParse that apply to each delivery. */
export interface ParseSettings {
  readonly fallbackSecrets: SecretValues;
  /** Those of the manifest. */
  readonly settings: KiketSettings;
  /** Redacted in texts. */
  readonly apiKey: string | undefined;
  readonly connectApi: ConnectApi;
}

/** The members of an exchange that a parsed delivery reads. */
export interface VerifiedExchange extends ApiCaller {
  /** The claims of the verified runtime token. */
  readonly token: TokenClaims | undefined;
  /** True when the body is signed, or kiketRuntimeToken has `trustUnsignedBody`. */
  readonly trustsBody: boolean;
}

const NONE = Object.freeze({});

/** The secrets, auth and API client of a parsed delivery, each created when it is first read. */
export class ParsedDelivery implements CallbackSource {
  /** The payload's `api`: where the platform wants calls to go. */
  readonly callback: Callback;
  readonly #projectId: KiketId | undefined;
  readonly #exchange: VerifiedExchange;
  readonly #settings: ParseSettings;
  readonly #authentication: Authentication;
  readonly #secretValues: SecretValues;
  readonly #withheldValues: SecretValues;
  readonly #missingSecrets: readonly string[];
  #secrets: DeliverySecrets | WithheldSecrets | undefined = undefined;
  #auth: DeliveryAuth | undefined = undefined;
  #api: KiketApi | undefined = undefined;

  /**
   * @param projectId that of the payload; `delivery.projectId` may come from an unsigned header.
   * @param withheld secrets of a body that is not trusted: kept from handlers, and redacted in texts.
   */
  constructor(
    exchange: VerifiedExchange,
    settings: ParseSettings,
    { authentication, secrets, secret_status: status, api }: ContractPayload,
    projectId: KiketId | undefined,
    withheld: SecretValues | undefined,
  ) {
    this.#exchange = exchange;
    this.#settings = settings;
    this.callback = api ?? NONE;
    this.#projectId = projectId;
    this.#authentication = authentication ?? NONE;
    this.#secretValues = secrets ?? NONE;
    this.#withheldValues = withheld ?? NONE;
    this.#missingSecrets = status?.missing ?? [];
  }

  get secrets(): KiketSecrets {
    return (this.#secrets ??= this.#readSecrets());
  }

  /** True once the handler has seen that a secret is missing. */
  get revealedMissing(): boolean {
    return this.#secrets?.revealedMissing === true;
  }

  get settings(): KiketSettings {
    return this.#settings.settings;
  }

  get auth(): DeliveryAuth {
    return (this.#auth ??= new DeliveryAuth(this.#authentication, this.#exchange.token));
  }

  get api(): KiketApi {
    return (this.#api ??= this.#settings.connectApi(this.#exchange, this));
  }

  /** The default project of API calls, from the payload, a verified token or its scopes; never from a header. */
  get apiProjectId(): KiketId | undefined {
    return this.#projectId ?? this.auth.projectId ?? onlyProjectOf(this.auth.scopes);
  }

  /** All known secret values, for redaction. */
  get secretTexts(): string[] {
    const { fallbackSecrets, apiKey } = this.#settings;
    const secrets = [this.#secretValues, this.#withheldValues, fallbackSecrets].flatMap((values) =>
      Object.values(values),
    );
    return [...secrets, this.#authentication.runtime_token, apiKey].filter((value) => value != null);
  }

  #readSecrets(): DeliverySecrets | WithheldSecrets {
    const { delivery, trustsBody } = this.#exchange;
    if (!delivery.verified) return new WithheldSecrets();
    return new DeliverySecrets(this.#secretValues, this.#settings.fallbackSecrets, this.#missingSecrets, !trustsBody);
  }
}

/** The project of a scope such as `project:27`, when exactly one project is named. */
function onlyProjectOf(scopes: readonly string[]): number | undefined {
  const projects = new Set(scopes.flatMap((scope) => /^project:([1-9]\d{0,14})$/.exec(scope)?.[1] ?? []));
  return projects.size === 1 ? Number([...projects][0]) : undefined;
}
