import { openReporters } from './open-reporters';
import { channel } from 'node:diagnostics_channel';
import { kiket, kiketErrorHandler, kiketHandler, type KiketRecord } from 'kiket-express';
import { kiketTelemetry, type KiketTelemetryOptions, type KiketTelemetryReporter } from '../../../lib/telemetry';
import { secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import type { Express } from '../../support/express';

export const TELEMETRY = '/api/v1/ext/telemetry';

/** Longer than any test. */
export const AN_HOUR_MS = 3_600_000;

/** A reporter that sends only on request, as its interval and batch size are never reached. Closed after the test. */
export function report(
  { url }: { readonly url: string },
  options: Partial<KiketTelemetryOptions> = {},
): KiketTelemetryReporter {
  const patient = { intervalMs: AN_HOUR_MS, batchSize: 10_000, timeoutMs: 2000 };
  const reporter = kiketTelemetry({ apiKey: 'ext_fake', baseUrl: url, ...patient, ...options });
  openReporters.push(reporter);
  return reporter;
}

/** Publishes the end of deliveries of these events, as the middlewares do. */
export function ended(...events: string[]): void {
  for (const event of events) publish({ event });
}

export function publish(fields: Partial<KiketRecord>): void {
  channel('kiket:delivery').publish({
    eventVersion: 'v1',
    invocationId: undefined,
    outcome: 'success',
    code: undefined,
    status: 200,
    durationMs: 1.5,
    ...fields,
  });
}

/** `e0`, `e1`, … */
export function events(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `e${i}`);
}

export function eventsAt({ telemetry }: { readonly telemetry: readonly object[] }): string[] {
  return telemetry.map((record) => (record as { event: string }).event);
}

export function countsOf({ sent, dropped, queued }: KiketTelemetryReporter): object {
  return { sent, dropped, queued };
}

/** An application whose deliveries go to `handler`. */
export function extension(express: Express, handler: Stage = kiketHandler(() => ({}))): ReturnType<Express> {
  return endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]);
}
