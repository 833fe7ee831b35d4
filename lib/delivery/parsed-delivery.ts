import type { KiketApi } from '../api/client';
import type { Callback } from '../api/credentials';
import type { ApiCaller, CallbackSource, ConnectApi } from '../api/delivery-api';
import { DeliveryAuth, type Authentication, type TokenClaims } from './auth';
import type { ContractPayload } from './payload';
import { DeliverySecrets, WithheldSecrets, type KiketSecrets, type SecretValues } from './secrets';

/** What kiketParse was told, for every delivery. */
export interface ParseSettings {
  readonly fallbackSecrets: SecretValues;
  /** To keep it out of texts. */
  readonly apiKey: string | undefined;
  readonly connectApi: ConnectApi;
}

/** What is used of an exchange. */
export interface VerifiedExchange extends ApiCaller {
  /** The claims of the verified runtime token. */
  readonly token: TokenClaims | undefined;
  /** Whether nobody but the sender can have written the body, or the service has said that this does not matter. */
  readonly trustsBody: boolean;
}

const NONE = Object.freeze({});

/** What kiketParse has found in a delivery beside its payload, and what is made of it when it is first asked for. */
export class ParsedDelivery implements CallbackSource {
  /** Where the payload says that calls back go. */
  readonly callback: Callback;
  readonly #projectId: number | undefined;
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
   * @param projectId what the payload says; `delivery.projectId` may be another's word.
   * @param withheld what nobody may see, and texts must not quote.
   */
  constructor(
    exchange: VerifiedExchange,
    settings: ParseSettings,
    { authentication, secrets, secret_status: status, api }: ContractPayload,
    projectId: number | undefined,
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

  /** Whether the handler has learnt that a secret is missing. */
  get toldOfMissing(): boolean {
    return this.#secrets?.toldOfMissing === true;
  }

  get auth(): DeliveryAuth {
    return (this.#auth ??= new DeliveryAuth(this.#authentication, this.#exchange.token));
  }

  get api(): KiketApi {
    return (this.#api ??= this.#settings.connectApi(this.#exchange, this));
  }

  /** That of calls back, where the payload, a verified token or its scopes name one: no header decides that. */
  get apiProjectId(): number | undefined {
    return this.#projectId ?? this.auth.projectId ?? onlyProjectOf(this.auth.scopes);
  }

  /** To keep them out of texts. */
  get secretTexts(): string[] {
    const texts: string[] = [];
    for (const values of [this.#secretValues, this.#withheldValues, this.#settings.fallbackSecrets]) {
      for (const value of Object.values(values)) addText(texts, value);
    }
    addText(texts, this.#authentication.runtime_token);
    addText(texts, this.#settings.apiKey);
    return texts;
  }

  #readSecrets(): DeliverySecrets | WithheldSecrets {
    const { delivery, trustsBody } = this.#exchange;
    if (!delivery.verified) return new WithheldSecrets();
    return new DeliverySecrets(this.#secretValues, this.#settings.fallbackSecrets, this.#missingSecrets, !trustsBody);
  }
}

/** The project of the only scope `project:27`. */
function onlyProjectOf(scopes: readonly string[]): number | undefined {
  const projects = new Set(scopes.flatMap((scope) => /^project:([1-9]\d{0,14})$/.exec(scope)?.[1] ?? []));
  return projects.size === 1 ? Number([...projects][0]) : undefined;
}

/** What is no text has been let pass with a schema of the user's own. */
function addText(texts: string[], value: string | null | undefined): void {
  if (typeof value === 'string') texts.push(value);
}
