import type { Requests } from './requests';

/** How one event was handled. */
export interface KiketTelemetry {
  /** The event's name. */
  readonly event: string;
  /** The version of the event. Default that of the delivery; outside of a delivery `v1`. */
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

/** Reports how one event was handled. */
export async function sendTelemetry(api: Requests, record: Readonly<KiketTelemetry>, version: string): Promise<void> {
  const { event, status, durationMs, timestamp = new Date(), metadata } = record;
  await api.request('POST', '/api/v1/ext/telemetry', {
    body: { ...metadata, event, version, status, duration_ms: durationMs, timestamp },
  });
}
