import type { KiketTelemetryReporter } from '../../lib/telemetry';

/** Closed after each test, before the connections that they use: whoever imports this does it first. */
export const openReporters: KiketTelemetryReporter[] = [];

afterEach(async () => {
  await Promise.all(openReporters.splice(0).map((reporter) => reporter.close()));
});
