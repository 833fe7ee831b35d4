import { segment } from './target';
import type { Requests } from './requests';

/** Options of an entry in the event log. */
export interface KiketLogEventOptions {
  /** Default: that of the delivery; outside a delivery `v1`. */
  version?: string | undefined;
  /** Default now. */
  timestamp?: Date | undefined;
}

/** How one event was handled. */
export interface KiketTelemetry {
  /** The event's name. */
  readonly event: string;
  /** Default: that of the delivery; outside a delivery `v1`. */
  readonly version?: string | undefined;
  /** `ok` for a success. */
  readonly status: 'ok' | 'error';
  /** Milliseconds. */
  readonly durationMs: number;
  /** Default now. */
  readonly timestamp?: Date | undefined;
  /** Further fields, by the API's names, e.g. `error_message`. */
  readonly metadata?: object | undefined;
}

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

export async function sendTelemetry(api: Requests, record: Readonly<KiketTelemetry>, version: string): Promise<void> {
  const { event, status, durationMs, timestamp = new Date(), metadata } = record;
  await api.request('POST', '/api/v1/ext/telemetry', {
    body: { ...metadata, event, version, status, duration_ms: durationMs, timestamp },
  });
}
