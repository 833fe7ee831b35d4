import { Redactor } from '../redaction';
import { checked, optional, readOptions, type OptionTable } from '../options';
import { ApiClient, type KiketApi, DEFAULT_VERSION } from './client';
import { authorizeConfigured } from './credentials';
import { API_OPTIONS, credentialOption, projectIdOption, toApiSettings, type KiketApiOptions } from './api-options';
import type { KiketId } from '../guards';

/** Options of createKiketApi. */
export interface CreateKiketApiOptions extends KiketApiOptions {
  /**
   * A workspace token, `wk_…`, for paths that are not of extensions; without `apiKey`, for all paths. Sent to `baseUrl`
   * only. Default none.
   */
  workspaceToken?: string | undefined;
  /** The project of methods that need one: a positive integer or a non-empty string. Default none. */
  projectId?: KiketId | undefined;
  /** Aborts all calls. Default none: each call is aborted after 10 s. */
  signal?: AbortSignal | undefined;
}

const OPTIONS = {
  ...API_OPTIONS,
  workspaceToken: optional(credentialOption),
  projectId: projectIdOption,
  signal: optional(checked<AbortSignal>('an AbortSignal', isAbortSignal)),
} satisfies OptionTable<CreateKiketApiOptions>;

/**
 * Creates a client of Kiket's API for use outside a delivery. Inside, use `delivery.api`.
 *
 * @throws {TypeError} when an option is invalid or unknown.
 * @example const api = createKiketApi({ apiKey: process.env.KIKET_API_KEY });
 */
export function createKiketApi(options: Readonly<CreateKiketApiOptions>): KiketApi {
  const { workspaceToken, projectId, signal, ...api } = readOptions('createKiketApi', options, OPTIONS);
  const settings = toApiSettings(api);
  const secrets = new Redactor(() => [settings.apiKey, workspaceToken]);

  return new ApiClient({
    authorize: authorizeConfigured(settings, workspaceToken),
    dispatcher: settings.dispatcher,
    projectId,
    extensionId: settings.extensionId,
    eventVersion: DEFAULT_VERSION,
    limits: () => ({ signal, remainingMs: signal === undefined ? undefined : Infinity }),
    redact: (text) => secrets.redact(text),
    onSecret: (key, value) => secrets.add(key, value),
  });
}

function isAbortSignal(value: unknown): boolean {
  return typeof (value as Partial<AbortSignal> | null | undefined)?.addEventListener === 'function';
}
