import type { Redactor } from '../redaction';
import { ApiClient, type KiketApi } from './client';
import { authorizeDelivery, type Callback, type RuntimeToken } from './credentials';
import type { ApiSettings } from './options';
import { WithheldApi } from './withheld';

/** The delivery that calls are made for. */
export interface ApiCaller {
  readonly delivery: { readonly verified: boolean | undefined; readonly eventVersion: string | undefined };
  readonly signal: AbortSignal;
  /** Milliseconds until the deadline; `undefined` without one. */
  readonly remainingMs: number | undefined;
  readonly redactor: Redactor;
}

/** What the payload of a delivery says about calls. */
export interface CallbackSource {
  readonly auth: RuntimeToken;
  readonly callback: Callback;
  /** The default project of calls. */
  readonly apiProjectId: number | undefined;
}

/** Creates the client of a delivery. */
export type ConnectApi = (caller: ApiCaller, source: CallbackSource) => KiketApi;

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
