import { KiketApiError, type KiketRateLimit } from '../errors';
import { callApi, type Caller, type KiketApiRequestOptions } from './call';
import { CustomDataTable, type KiketTable } from './custom-data';
import { logEvent, type KiketLogEventOptions } from './event-log';
import { extensionSecrets, type KiketExtensionSecrets } from './extension-secrets';
import { malformedError } from './api-errors';
import { intakeForms, type KiketIntakeForms } from './intake-forms';
import { issues, type KiketIssues } from './issues';
import { toRateLimit } from './rate-limit';
import { slaEvents, type KiketSlaEvents } from './sla-events';
import { projectIdOption } from './api-options';
import { sendTelemetry, type KiketTelemetry } from './telemetry';
import type { KiketApiMethod } from './transport';

/**
 * The client of Kiket's API. Every failure is a {@link KiketApiError}, whose status is right for the platform's retry when
 * the handler does not catch it.
 *
 * A call is aborted by the delivery's `signal`, or after 10 s when it has none. `GET`, `PUT` and `DELETE` are retried up to
 * three times after 429, 502, 503, 504 and a connection error; `POST` and `PATCH` after 429 only. A response may have
 * 10 MB. Methods with a project use that of the signed payload by default.
 */
export interface KiketApi {
  /** Fetches the state of the rate limit, which all calls of the installation share. */
  rateLimit(): Promise<KiketRateLimit>;
  /** The rate limit in the latest response to this client; `undefined` before the first. */
  readonly lastRateLimit: KiketRateLimit | undefined;
  /** One table of a module. `T` is not checked. @throws {TypeError} when `projectId` is not a positive integer. */
  customData<T extends object = Record<string, unknown>>(
    module: string,
    table: string,
    options?: { projectId?: number | undefined },
  ): KiketTable<T>;
  /** SLA events of a project. @throws {TypeError} when `projectId` is not a positive integer. */
  slaEvents(projectId?: number): KiketSlaEvents;
  /** Intake forms of a project. @throws {TypeError} when `projectId` is not a positive integer. */
  intakeForms(projectId?: number): KiketIntakeForms;
  /** Issues of a project. @throws {TypeError} when `projectId` is not a positive integer. */
  issues(projectId?: number): KiketIssues;
  /** Secrets that the extension stores at Kiket. @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  extensionSecrets(): KiketExtensionSecrets;
  /** Writes to the extension's event log. @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  logEvent(event: string, data?: object, options?: Readonly<KiketLogEventOptions>): Promise<void>;
  /** Reports how one event was handled. `kiketTelemetry` does so for every delivery. */
  sendTelemetry(record: Readonly<KiketTelemetry>): Promise<void>;
  /**
   * Calls any endpoint. Resolves to the parsed JSON body, or to `undefined` when the response to another method than `GET` is
   * empty.
   *
   * @param path begins with `/`; its segments are encoded with `encodeURIComponent`. A path that resolves to another one is
   *   `api.target_refused`.
   */
  request(method: KiketApiMethod, path: string, options?: Readonly<KiketApiRequestOptions>): Promise<unknown>;
}

/** The version of an event that names none. */
export const DEFAULT_VERSION = 'v1';

/** The credentials, limits and defaults of a client. */
export interface ApiContext extends Caller {
  readonly projectId: number | undefined;
  readonly extensionId: string | undefined;
  readonly eventVersion: string;
  /** Called with each secret that is fetched or set, so that it can be redacted. */
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
    if (rateLimit === undefined) throw malformedError('GET');
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
    throw KiketApiError.because('api.not_configured', `api.${who} needs the id of the extension. Set extensionId.`);
  }
}
