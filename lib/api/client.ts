import { KiketApiError, type KiketRateLimit } from '../errors';
import { callApi, type Caller, type KiketApiRequestOptions } from './call';
import { CustomDataTable, type KiketTable } from './custom-data';
import { extensionSecrets, type KiketExtensionSecrets } from './extension-secrets';
import { malformed } from './failure';
import { intakeForms, type KiketIntakeForms } from './intake-forms';
import { issues, type KiketIssues } from './issues';
import { logEvent, sendTelemetry, type KiketLogEventOptions, type KiketTelemetry } from './journal';
import { toRateLimit } from './rate-limit';
import { slaEvents, type KiketSlaEvents } from './sla-events';
import { projectIdOption } from './options';
import type { KiketApiMethod } from './transport';

/**
 * Kiket's API (`contract.md` §5). Every failure is a {@link KiketApiError}, and ends as the right answer to the platform
 * where the handler does not catch it.
 *
 * A call ends with the delivery's `signal`, or after 10 s where nothing else ends it. `GET`, `PUT` and `DELETE` are made
 * again, up to three times, after 429, 502, 503, 504 and a broken connection; `POST` and `PATCH` after 429 only. An answer
 * has at most 10 MB. The project, where a method takes one, is by default that of the signed payload.
 */
export interface KiketApi {
  rateLimit(): Promise<KiketRateLimit>;
  /** The newest that an answer to this client has told; `undefined` before the first. */
  readonly lastRateLimit: KiketRateLimit | undefined;
  /** One table of a module. `T` is asserted, not checked. @throws {TypeError} when `projectId` is no positive integer. */
  customData<T extends object = Record<string, unknown>>(
    module: string,
    table: string,
    options?: { projectId?: number | undefined },
  ): KiketTable<T>;
  slaEvents(projectId?: number): KiketSlaEvents;
  intakeForms(projectId?: number): KiketIntakeForms;
  issues(projectId?: number): KiketIssues;
  /** @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  extensionSecrets(): KiketExtensionSecrets;
  /** Writes to the extension's event log. @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  logEvent(event: string, data?: object, options?: Readonly<KiketLogEventOptions>): Promise<void>;
  sendTelemetry(record: Readonly<KiketTelemetry>): Promise<void>;
  /**
   * The parsed JSON body; `undefined` where the answer to another method than `GET` is empty.
   *
   * @param path begins with `/`, its parts encoded with `encodeURIComponent`. One that resolves to another place is refused.
   */
  request(method: KiketApiMethod, path: string, options?: Readonly<KiketApiRequestOptions>): Promise<unknown>;
}

/** The version of an event, and of the API path, where nothing names one. */
export const DEFAULT_VERSION = 'v1';

/** What a client is made for. */
export interface ApiContext extends Caller {
  readonly projectId: number | undefined;
  readonly extensionId: string | undefined;
  readonly eventVersion: string;
  /** Is told the value of each secret that is fetched or set, to keep it out of texts. */
  onSecret(key: string, value: string): void;
}

export class ApiClient implements KiketApi {
  readonly #context: ApiContext;
  #lastRateLimit: KiketRateLimit | undefined = undefined;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  get lastRateLimit(): KiketRateLimit | undefined {
    return this.#lastRateLimit;
  }

  async rateLimit(): Promise<KiketRateLimit> {
    const rateLimit = toRateLimit(await this.request('GET', '/api/v1/ext/rate_limit'));
    if (rateLimit === undefined) throw malformed('GET');
    this.#lastRateLimit = rateLimit;
    return rateLimit;
  }

  customData<T extends object>(
    module: string,
    table: string,
    { projectId }: { projectId?: number | undefined } = {},
  ): KiketTable<T> {
    return new CustomDataTable<T>(this, module, table, this.#project(projectId));
  }

  slaEvents(projectId?: number): KiketSlaEvents {
    return slaEvents(this, this.#project(projectId));
  }

  intakeForms(projectId?: number): KiketIntakeForms {
    return intakeForms(this, this.#project(projectId));
  }

  issues(projectId?: number): KiketIssues {
    return issues(this, this.#project(projectId));
  }

  extensionSecrets(): KiketExtensionSecrets {
    return extensionSecrets(this, this.#extension('extensionSecrets'), (key, value) =>
      this.#context.onSecret(key, value),
    );
  }

  async logEvent(event: string, data: object = {}, options: Readonly<KiketLogEventOptions> = {}): Promise<void> {
    const { version = this.#context.eventVersion, timestamp } = options;
    await logEvent(this, this.#extension('logEvent'), event, data, { version, timestamp });
  }

  async sendTelemetry(record: Readonly<KiketTelemetry>): Promise<void> {
    await sendTelemetry(this, record, record.version ?? this.#context.eventVersion);
  }

  async request(
    method: KiketApiMethod,
    path: string,
    options: Readonly<KiketApiRequestOptions> = {},
  ): Promise<unknown> {
    return callApi(this.#context, method, path, options, (rateLimit) => (this.#lastRateLimit = rateLimit));
  }

  #project(projectId: number | undefined): number | undefined {
    return projectIdOption.read(projectId, 'api', 'projectId') ?? this.#context.projectId;
  }

  #extension(who: string): string {
    const { extensionId } = this.#context;
    if (extensionId !== undefined) return extensionId;
    throw KiketApiError.because('api.not_configured', `api.${who} needs to know the extension. Set extensionId.`);
  }
}
