import type { KiketTelemetryReporter } from '../../../lib/telemetry';

/** Closed after each test, before the connections that they use: import this module first. */
export const openReporters: KiketTelemetryReporter[] = [];

afterEach(async () => {
  // With a fake clock, their time limit would never pass.
  jest.useRealTimers();
  await Promise.all(openReporters.splice(0).map((reporter) => reporter.close()));
});
