import type { Redactor } from '../redaction';
import { ApiClient, type KiketApi } from './client';
import { authorizeDelivery, type Callback, type RuntimeToken } from './credentials';
import type { ApiSettings } from './api-options';
import { WithheldApi } from './withheld-api';
import type { KiketId } from '../guards';

/** The members of an exchange that its client uses. */
export interface ApiCaller {
  readonly delivery: { readonly verified: boolean | undefined; readonly eventVersion: string | undefined };
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline; `undefined` without one. */
  readonly remainingMs: number | undefined;
  /** Knows the secrets of the delivery, and those that its client fetches. */
  readonly redactor: Redactor;
}

/** The parts of a payload that concern API calls. */
export interface CallbackSource {
  readonly auth: RuntimeToken;
  readonly callback: Callback;
  /** The default project. */
  readonly apiProjectId: KiketId | undefined;
}

/** Creates the client of a delivery. */
export type ConnectApi = (caller: ApiCaller, source: CallbackSource) => KiketApi;

/** The client of an unverified delivery refuses every call. */
export function createConnectApi(settings: ApiSettings): ConnectApi {
  return (caller, source) => (caller.delivery.verified ? connect(settings, caller, source) : new WithheldApi());
}

function connect(settings: ApiSettings, caller: ApiCaller, { auth, callback, apiProjectId }: CallbackSource): KiketApi {
  return new ApiClient({
    authorize: authorizeDelivery(settings, callback, auth),
    dispatcher: settings.dispatcher,
    projectId: apiProjectId,
    extensionId: settings.extensionId,
    eventVersion: caller.delivery.eventVersion!,
    limits: () => ({ signal: caller.signal, remainingMs: caller.remainingMs }),
    redact: (text) => caller.redactor.redact(text),
    onSecret: (key, value) => caller.redactor.add(key, value),
  });
}
