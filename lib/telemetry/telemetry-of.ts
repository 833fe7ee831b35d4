import type { KiketTelemetry } from '../api/journal';
import type { KiketRecord } from '../exchange/record';
import { shorten } from '../text';

/**
 * What Kiket is told of a delivery that has ended just now: how it went, and nothing that came with it but its event.
 *
 * `undefined` for one that was refused before its event was known. It may not be Kiket's at all, and whoever can reach the
 * endpoint must not be able to make us send.
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
    // 0 stands for a client that has left, and is no status of HTTP.
    metadata: { outcome, http_status: status || undefined, error_code: code },
  };
}
