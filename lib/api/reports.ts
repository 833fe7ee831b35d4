import { checked } from '../options';
import type { Requests } from './requests';

/** A notification for the users of the project. */
export interface KiketNotification {
  /** In one line. */
  readonly title: string;
  /** The text. */
  readonly body: string;
  /** How important it is, e.g. `info`. Default that of the API. */
  readonly level?: string | undefined;
}

const metricOption = checked<number>('a finite number', Number.isFinite);

/** Writes a line to the extension's log. */
export async function log(api: Requests, message: string, metadata: object): Promise<void> {
  await api.request('POST', '/api/v1/extensions/logs', { body: { message, metadata } });
}

/** Records a measured value. */
export async function metric(api: Requests, name: string, value: number, unit: string | undefined): Promise<void> {
  // JSON would replace NaN with null.
  metricOption.read(value, 'api.metric', 'value');
  await api.request('POST', '/api/v1/extensions/metrics', { body: { name, value, unit } });
}

/** Sends a notification. */
export async function notify(api: Requests, { title, body, level }: Readonly<KiketNotification>): Promise<void> {
  await api.request('POST', '/api/v1/extensions/notifications', { body: { title, body, level } });
}
