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
  const { auth, callback, projectId } = exchange.contents!;
  return new ApiClient({
    authorize: authorizeDelivery(settings, callback, auth),
    dispatcher: settings.dispatcher,
    projectId: projectId ?? auth.projectId ?? onlyProjectOf(auth.scopes),
    extensionId: settings.extensionId,
    eventVersion: delivery.eventVersion!,
    limits: () => ({ signal: exchange.signal, remainingMs: exchange.remainingMs }),
    scrub: (text) => exchange.scrub(text),
    onSecret: (value) => exchange.keepSecret(value),
  });
}

/** The project of the only scope `project:27`. */
function onlyProjectOf(scopes: readonly string[]): number | undefined {
  const projects = new Set(scopes.flatMap((scope) => /^project:([1-9]\d{0,14})$/.exec(scope)?.[1] ?? []));
  return projects.size === 1 ? Number([...projects][0]) : undefined;
}
