import { Redactor } from '../redaction';
import { describe, requireRecord } from '../options';
import { ApiClient, requireProjectId, type KiketApi, DEFAULT_VERSION } from './client';
import { authorizeConfigured } from './credentials';
import { readApiOptions, requireHeaderText, type KiketApiOptions } from './api-options';

/** Options of createKiketApi. */
export interface CreateKiketApiOptions extends KiketApiOptions {
  /** A workspace token, `wk_…`, for paths that are not of extensions; without `apiKey` for all. Sent to `baseUrl` only. */
  workspaceToken?: string | undefined;
  /** The default project of methods with a project. Default none. */
  projectId?: number | undefined;
  /** Aborts all calls. Default: each is aborted after 10 s. */
  signal?: AbortSignal | undefined;
}

/**
 * Creates a client of Kiket's API for use outside a delivery. Inside, use `delivery.api`.
 *
 * @throws {TypeError} when an option is invalid.
 */
export function createKiketApi(options: Readonly<CreateKiketApiOptions>): KiketApi {
  requireRecord('createKiketApi', 'options', options);
  const settings = readApiOptions('createKiketApi', options);
  const { workspaceToken, projectId, signal } = options;
  requireHeaderText('createKiketApi', 'workspaceToken', workspaceToken);
  requireProjectId('createKiketApi', projectId);
  if (signal !== undefined && typeof (signal as Partial<AbortSignal> | null)?.addEventListener !== 'function') {
    throw new TypeError(`createKiketApi: signal is ${describe(signal)}; give an AbortSignal, or leave it out`);
  }
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
