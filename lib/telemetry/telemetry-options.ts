import {
  API_OPTIONS,
  credentialOption,
  toApiSettings,
  type ApiSettings,
  type KiketApiOptions,
} from '../api/api-options';
import type { KiketTelemetry } from '../api/telemetry';
import type { KiketApiError } from '../errors';
import { callback, integer, number, readOptions, type OptionTable } from '../options';

const WHO = 'kiketTelemetry';

/** An hour. A longer wait, for records or for the API, would make telemetry useless. */
export const LONGEST_WAIT_MS = 3_600_000;

/** Records over it are dropped from the front, which is cheap up to this size only. */
const LARGEST_QUEUE = 10_000;

/** Options of {@link kiketTelemetry}. */
export interface KiketTelemetryOptions extends Pick<KiketApiOptions, 'baseUrl' | 'dispatcher'> {
  /** The extension's API key, `ext_…`. Sent to `baseUrl` only. */
  apiKey: string;
  /**
   * Number of waiting records, from 1 to 10,000, that are sent without waiting for more, with one request for each.
   * Default `50`.
   */
  batchSize?: number | undefined;
  /**
   * Milliseconds that a record waits for others, from 1 to an hour. Also the shortest pause after a failure. Default
   * `5000`.
   */
  intervalMs?: number | undefined;
  /** Largest number of waiting records, from 1 to 10,000. Beyond it the oldest is dropped. Default `1000`. */
  maxQueued?: number | undefined;
  /** Milliseconds that one request may take, and `flush()` and `close()` each as a whole, from 1 to an hour. Default `5000`. */
  timeoutMs?: number | undefined;
  /**
   * Called with each record that is dropped, and with the error of its request; without an error, when too many records
   * waited or the reporter was closed. Errors that it throws are ignored. Default none.
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

const OPTIONS = {
  apiKey: credentialOption,
  baseUrl: API_OPTIONS.baseUrl,
  dispatcher: API_OPTIONS.dispatcher,
  batchSize: integer({ default: 50, min: 1, max: LARGEST_QUEUE }),
  intervalMs: number({ default: 5000, min: 1, max: LONGEST_WAIT_MS }),
  maxQueued: integer({ default: 1000, min: 1, max: LARGEST_QUEUE }),
  timeoutMs: number({ default: 5000, min: 1, max: LONGEST_WAIT_MS }),
  onDropped: callback(),
} satisfies OptionTable<KiketTelemetryOptions>;

/** @throws {TypeError} when an option is invalid or unknown. */
export function readTelemetryOptions(options: Readonly<KiketTelemetryOptions>): TelemetrySettings {
  const { apiKey, baseUrl, dispatcher, ...settings } = readOptions(WHO, options, OPTIONS);
  const api = toApiSettings({ apiKey, baseUrl, dispatcher, allowedOrigins: [], extensionId: undefined });
  return { ...settings, api: { ...api, apiKey } };
}
