import { segment } from './target';
import type { Requests } from './requests';

export interface KiketLogEventOptions {
  /** Default the delivery's version; outside a delivery `v1`. */
  version?: string | undefined;
  /** Default now. */
  timestamp?: Date | undefined;
}

/** How the handling of one event went. */
export interface KiketTelemetry {
  readonly event: string;
  /** Default the delivery's version; outside a delivery `v1`. */
  readonly version?: string | undefined;
  readonly status: 'ok' | 'error';
  readonly durationMs: number;
  /** Default now. */
  readonly timestamp?: Date | undefined;
  /** What else the platform is to keep, by its own names, e.g. `error_message`. */
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
