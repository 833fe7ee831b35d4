import { Redactor } from '../redaction';
import { describe, requireRecord } from '../options';
import { ApiClient, requireProjectId, type KiketApi, DEFAULT_VERSION } from './client';
import { authorizeConfigured } from './credentials';
import { readApiOptions, requireHeaderText, type KiketApiOptions } from './options';

export interface CreateKiketApiOptions extends KiketApiOptions {
  /** A workspace's token, `wk_…`, for what is not the extension's own; and for all, without `apiKey`. Sent to `baseUrl` only. */
  workspaceToken?: string | undefined;
  /** The project of methods that are given none. */
  projectId?: number | undefined;
  /** Ends every call. Default: each ends after 10 s. */
  signal?: AbortSignal | undefined;
}

/**
 * The client of Kiket's API outside a delivery, for jobs of your own. Inside, use `delivery.api`.
 *
 * @throws {TypeError} when an option makes no sense.
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
