import type { KiketTelemetryReporter } from '../../../lib/telemetry';

/** Closed after each test, before the connections that they use: whoever imports this does it first. */
export const openReporters: KiketTelemetryReporter[] = [];

afterEach(async () => {
  // With a clock that a test moves, their time would never be over.
  jest.useRealTimers();
  await Promise.all(openReporters.splice(0).map((reporter) => reporter.close()));
});
