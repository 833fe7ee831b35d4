import { isHeaderText, readApiOptions, type ApiSettings, type KiketApiOptions } from '../api/api-options';
import type { KiketTelemetry } from '../api/telemetry';
import type { KiketApiError } from '../errors';
import { describe, requireFunction, requireNumber, requireWhole } from '../options';
import { isObject } from '../guards';

const WHO = 'kiketTelemetry';

/** An hour: whoever waits longer, for records or for the API, does not want telemetry. */
export const LONGEST_WAIT_MS = 3_600_000;

/** What is over it is dropped from the front, which is cheap up to here only. */
const LARGEST_QUEUE = 10_000;

export interface KiketTelemetryOptions extends Pick<KiketApiOptions, 'baseUrl' | 'dispatcher'> {
  /** The extension's API key, `ext_…`. Sent to `baseUrl` only. */
  apiKey: string;
  /** So many waiting records are sent without waiting for more, with one request for each; from 1 to 10 000. Default 50. */
  batchSize?: number | undefined;
  /** Milliseconds that a record waits for others, from 1 to an hour. Also the shortest pause after a failure. Default 5000. */
  intervalMs?: number | undefined;
  /** Records that wait at most, from 1 to 10 000; beyond it the oldest is dropped. Default 1000. */
  maxQueued?: number | undefined;
  /** Milliseconds, from 1 to an hour, that one request may take, and `flush()` and `close()` each as a whole. Default 5000. */
  timeoutMs?: number | undefined;
  /**
   * Told each record that is dropped; without an error, when too many waited or the reporter was closed. What it throws is
   * ignored.
   */
  onDropped?: ((record: KiketTelemetry, error: KiketApiError | undefined) => void | PromiseLike<void>) | undefined;
}

/** Options that have been checked and copied. */
export interface TelemetrySettings extends Pick<KiketTelemetryOptions, 'onDropped'> {
  readonly api: ApiSettings & { readonly apiKey: string };
  readonly batchSize: number;
  readonly intervalMs: number;
  readonly maxQueued: number;
  readonly timeoutMs: number;
}

/** @throws {TypeError} when one makes no sense; says what was given. */
export function readTelemetryOptions(options: Readonly<KiketTelemetryOptions>): TelemetrySettings {
  if (!isObject(options)) throw new TypeError(`${WHO}: options is ${describe(options)}; give an object with apiKey`);
  const { apiKey, baseUrl, dispatcher, onDropped } = options;
  const { batchSize = 50, intervalMs = 5000, maxQueued = 1000, timeoutMs = 5000 } = options;
  if (!isHeaderText(apiKey)) {
    throw new TypeError(
      `${WHO}: apiKey is ${describe(apiKey)}; give the extension's API key, visible ASCII without white space`,
    );
  }
  const api = { ...readApiOptions(WHO, { apiKey, baseUrl, dispatcher }), apiKey };
  requireWhole(WHO, 'batchSize', batchSize, 1, LARGEST_QUEUE);
  requireNumber(WHO, 'intervalMs', intervalMs, 1, LONGEST_WAIT_MS);
  requireWhole(WHO, 'maxQueued', maxQueued, 1, LARGEST_QUEUE);
  requireNumber(WHO, 'timeoutMs', timeoutMs, 1, LONGEST_WAIT_MS);
  requireFunction(WHO, 'onDropped', onDropped);
  return { api, batchSize, intervalMs, maxQueued, timeoutMs, onDropped };
}
