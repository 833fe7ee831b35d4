import { KiketApiError, type KiketRateLimit } from '../errors';
import { callApi, type Caller, type KiketApiRequestOptions } from './call';
import { CustomDataTable, type KiketTable } from './custom-data';
import { logEvent, type KiketLogEventOptions } from './event-log';
import { extensionSecrets, type KiketExtensionSecrets } from './extension-secrets';
import { malformedError } from './api-errors';
import { inboundEmails, type KiketInboundEmails } from './inbound-emails';
import { intakeForms, type KiketIntakeForms } from './intake-forms';
import { issues, type KiketIssues } from './issues';
import { members, type KiketApiUser } from './members';
import { toRateLimit } from './rate-limit';
import { log, metric, notify, type KiketNotification } from './reports';
import { objectOf } from './requests';
import { slaEvents, type KiketSlaEvents } from './sla-events';
import { projectIdOption } from './api-options';
import { sendTelemetry, type KiketTelemetry } from './telemetry';
import { segment } from './target';
import type { KiketApiMethod } from './transport';
import { webhookUrl, type KiketWebhookUrl } from './webhook-url';
import type { KiketId } from '../guards';

/**
 * The client of Kiket's API. Every failure is a {@link KiketApiError}, whose status is right for the platform's retry when
 * the handler does not catch it.
 *
 * A call is aborted by the delivery's `signal`, or after 10 s when it has none. `GET`, `PUT` and `DELETE` are retried up to
 * three times after 429, 502, 503, 504 and a connection error; `POST` and `PATCH` after 429 only. A response may have
 * 10 MB. Methods with a project use that of the signed payload by default. The id of a project is a positive integer or a non-empty
 * string.
 */
export interface KiketApi {
  /** Fetches the state of the rate limit, which all calls of the installation share. */
  rateLimit(): Promise<KiketRateLimit>;
  /** The rate limit in the latest response to this client; `undefined` before the first. */
  readonly lastRateLimit: KiketRateLimit | undefined;
  /** One table of a module. `T` is not checked. @throws {TypeError} for an invalid `projectId`. */
  customData<T extends object = Record<string, unknown>>(
    module: string,
    table: string,
    options?: {
      /** The project of the records. Default that of the signed payload. */
      projectId?: KiketId | undefined;
    },
  ): KiketTable<T>;
  /** SLA events of a project. @throws {TypeError} for an invalid `projectId`. */
  slaEvents(projectId?: KiketId): KiketSlaEvents;
  /** Intake forms of a project. @throws {TypeError} for an invalid `projectId`. */
  intakeForms(projectId?: KiketId): KiketIntakeForms;
  /** Issues of a project. @throws {TypeError} for an invalid `projectId`. */
  issues(projectId?: KiketId): KiketIssues;
  /** Lists the members of a project. Rejects with a TypeError for an invalid `projectId`. */
  members(projectId?: KiketId): Promise<KiketApiUser[]>;
  /** Fetches the URL at which Kiket receives webhooks of another system for the extension, e.g. for `inbound_email`. */
  webhookUrl(action: string): Promise<KiketWebhookUrl>;
  /** E-mails that another system has received. */
  inboundEmails(): KiketInboundEmails;
  /**
   * Fetches the metadata of the extension. Needs `apiKey` or a workspace token. Rejects with `api.not_configured` without an
   * `extensionId`.
   */
  extension(): Promise<Readonly<Record<string, unknown>>>;
  /** Secrets that the extension stores at Kiket. @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  extensionSecrets(): KiketExtensionSecrets;
  /** Writes to the extension's event log. @throws {KiketApiError} `api.not_configured` without an `extensionId`. */
  logEvent(event: string, data?: object, options?: Readonly<KiketLogEventOptions>): Promise<void>;
  /** Writes a message to the log of extensions. Needs `apiKey` or a workspace token. Default no metadata. */
  log(message: string, metadata?: object): Promise<void>;
  /** Records a measured value. Needs `apiKey` or a workspace token. Rejects with a TypeError when `value` is not a finite number. */
  metric(name: string, value: number, unit?: string): Promise<void>;
  /** Sends a notification. Needs `apiKey` or a workspace token. */
  notify(notification: Readonly<KiketNotification>): Promise<void>;
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
  readonly projectId: KiketId | undefined;
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

  /** Returns a client for the secrets and the event log of `extensionId`. */
  withExtension(extensionId: string): KiketApi {
    return new ApiClient({ ...this.#context, extensionId });
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
    { projectId }: { projectId?: KiketId | undefined } = {},
  ): KiketTable<T> {
    return new CustomDataTable<T>(this, module, table, this.#project(projectId));
  }

  slaEvents(projectId?: KiketId): KiketSlaEvents {
    return slaEvents(this, this.#project(projectId));
  }

  intakeForms(projectId?: KiketId): KiketIntakeForms {
    return intakeForms(this, this.#project(projectId));
  }

  issues(projectId?: KiketId): KiketIssues {
    return issues(this, this.#project(projectId));
  }

  async members(projectId?: KiketId): Promise<KiketApiUser[]> {
    return members(this, this.#project(projectId));
  }

  async webhookUrl(action: string): Promise<KiketWebhookUrl> {
    return webhookUrl(this, action);
  }

  inboundEmails(): KiketInboundEmails {
    return inboundEmails(this);
  }

  async extension(): Promise<Readonly<Record<string, unknown>>> {
    const path = `/api/v1/extensions/${segment('the id of the extension', this.#extension('extension'))}`;
    return objectOf('GET', await this.request('GET', path));
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

  async log(message: string, metadata: object = {}): Promise<void> {
    await log(this, message, metadata);
  }

  async metric(name: string, value: number, unit?: string): Promise<void> {
    await metric(this, name, value, unit);
  }

  async notify(notification: Readonly<KiketNotification>): Promise<void> {
    await notify(this, notification);
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

  #project(projectId: KiketId | undefined): KiketId | undefined {
    return projectIdOption.read(projectId, 'api', 'projectId') ?? this.#context.projectId;
  }

  #extension(who: string): string {
    const { extensionId } = this.#context;
    if (extensionId !== undefined) return extensionId;
    throw KiketApiError.because('api.not_configured', `api.${who} needs the id of the extension. Set extensionId.`);
  }
}

/** Returns the client for another extension. That of an unverified delivery, which refuses all calls, stays. */
export function apiOfExtension(api: KiketApi, extensionId: string): KiketApi {
  return api instanceof ApiClient ? api.withExtension(extensionId) : api;
}
