import { segment } from './target';
import type { Requests } from './requests';

/** Options of an entry in the event log. */
export interface KiketLogEventOptions {
  /** The version of the event. Default that of the delivery; outside of a delivery `v1`. */
  version?: string | undefined;
  /** The time of the event. Default now. */
  timestamp?: Date | undefined;
}

/** Writes to the extension's event log. */
export async function logEvent(
  api: Requests,
  extensionId: string,
  event: string,
  data: object,
  { version, timestamp = new Date() }: { readonly version: string; readonly timestamp?: Date | undefined },
): Promise<void> {
  const path = `/api/v1/extensions/${segment('the id of the extension', extensionId)}/events`;
  await api.request('POST', path, { body: { event, version, data, timestamp } });
}
