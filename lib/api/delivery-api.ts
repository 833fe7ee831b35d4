import type { Exchange } from '../exchange';
import { ApiClient, type KiketApi } from './client';
import { authorizeDelivery } from './credentials';
import type { ApiSettings } from './options';
import { WithheldApi } from './withheld';

/** Makes the client of a delivery. */
export type ConnectApi = (exchange: Exchange) => KiketApi;

export function createConnectApi(settings: ApiSettings): ConnectApi {
  return (exchange) => (exchange.delivery.verified ? connect(settings, exchange) : new WithheldApi());
}

function connect(settings: ApiSettings, exchange: Exchange): KiketApi {
  const { delivery } = exchange;
  const { auth, callback, apiProjectId } = exchange.contents!;
  return new ApiClient({
    authorize: authorizeDelivery(settings, callback, auth),
    dispatcher: settings.dispatcher,
    projectId: apiProjectId,
    extensionId: settings.extensionId,
    eventVersion: delivery.eventVersion!,
    limits: () => ({ signal: exchange.signal, remainingMs: exchange.remainingMs }),
    scrub: (text) => exchange.scrub(text),
    onSecret: (key, value) => exchange.keepSecret(key, value),
  });
}
