/// <reference types="node" preserve="true" />
export { kiketTelemetry, type KiketTelemetryReporter } from './kiket-telemetry';
export type { KiketTelemetryOptions } from './telemetry-options';
