import type { KiketTelemetry } from '../api/telemetry';
import type { KiketRecord } from '../exchange/record';
import { shorten } from '../text';

/**
 * Returns the telemetry of a delivery that has just ended: its event and how it was handled, without any contents.
 *
 * Returns `undefined` when it was refused before its event was known: it may be a stranger's, who must not be able to cause
 * API calls.
 */
export function telemetryOf(record: KiketRecord): KiketTelemetry | undefined {
  const { event, eventVersion, outcome, code, status, durationMs } = record;
  if (event === undefined) return undefined;
  return {
    event: shorten(event)!,
    version: shorten(eventVersion),
    status: outcome === 'success' ? 'ok' : 'error',
    durationMs,
    timestamp: new Date(),
    // A status of 0 means that the client disconnected, and is not an HTTP status.
    metadata: { outcome, http_status: status || undefined, error_code: code },
  };
}
