import type { KiketApi } from '../api/client';
import type { KiketId } from '../guards';
import { createCustomData, type CustomDataClient } from './custom-data';
import { createIntakeForms, type IntakeFormsClient } from './intake-forms';
import { createSlaEvents, type SlaEventsClient } from './sla-events';

/** The state of the rate limit, which all calls of the installation share. */
export interface RateLimitInfo {
  /** Requests that are allowed in a window. */
  limit: number;
  /** Requests that are left in this window. */
  remaining: number;
  /** Length of a window, in seconds. */
  windowSeconds: number;
  /** Seconds until the next window. */
  resetIn: number;
}

/**
 * `context.secrets`: the secrets that the extension stores at Kiket. Calls need `extensionId`, and `apiKey` of the `api`
 * option.
 */
export interface ExtensionSecretManager {
  /** Resolves to `null` when there is no such secret. */
  get(key: string): Promise<string | null>;
  /** Creates or replaces a secret. */
  set(key: string, value: string): Promise<void>;
  /** Deletes a secret. */
  delete(key: string): Promise<void>;
  /** Names of all secrets. */
  list(): Promise<string[]>;
  /** Replaces a secret, without a moment in which it is missing. */
  rotate(key: string, newValue: string): Promise<void>;
}

/** `context.endpoints`. The id of a project is a positive integer or a non-empty string. */
export interface ExtensionEndpoints {
  /** The secrets that the extension stores at Kiket. */
  readonly secrets: ExtensionSecretManager;
  /** Writes to the extension's event log. Rejects with `api.not_configured` without an extension id. */
  logEvent(event: string, data: Readonly<Record<string, unknown>>): Promise<void>;
  /** Fetches the metadata of the extension. Rejects with `api.not_configured` without an extension id. */
  getMetadata(): Promise<unknown>;
  /** Custom data of a project. */
  customData(projectId: KiketId): CustomDataClient;
  /** SLA events of a project. */
  slaEvents(projectId: KiketId): SlaEventsClient;
  /** Intake forms of a project. @throws {TypeError} for an invalid `projectId`. */
  intakeForms(projectId: KiketId): IntakeFormsClient;
  /** Fetches the state of the rate limit. */
  rateLimit(): Promise<RateLimitInfo>;
  /** Sends a notification, e.g. with the level `info`. Needs `apiKey` of the `api` option. Default: the API's level. */
  notify(title: string, body: string, level?: string): Promise<void>;
}

/** Returns `context.endpoints` for the API of a delivery. */
export function createEndpoints(api: KiketApi): ExtensionEndpoints {
  return {
    secrets: createSecretManager(api),
    logEvent: async (event, data) => api.logEvent(event, data),
    getMetadata: async () => api.extension(),
    customData: (projectId) => createCustomData(api, projectId),
    slaEvents: (projectId) => createSlaEvents(api, projectId),
    intakeForms: (projectId) => createIntakeForms(api, projectId),
    async rateLimit() {
      const { limit, remaining, windowSeconds, resetInSeconds } = await api.rateLimit();
      return { limit, remaining, windowSeconds, resetIn: resetInSeconds };
    },
    notify: async (title, body, level) => api.notify({ title, body, level }),
  };
}

function createSecretManager(api: KiketApi): ExtensionSecretManager {
  return {
    get: async (key) => (await api.extensionSecrets().get(key)) ?? null,
    set: async (key, value) => api.extensionSecrets().set(key, value),
    delete: async (key) => api.extensionSecrets().delete(key),
    list: async () => api.extensionSecrets().keys(),
    // Not deleted first: a failure in between would lose the secret.
    rotate: async (key, newValue) => api.extensionSecrets().set(key, newValue),
  };
}
