import { isObject, isString, nonEmptyString } from '../guards';
import type { KiketPayload } from './payload';

/** A request that a third party has sent to the platform, which has passed it on. */
export interface KiketExternalWebhook {
  /** The name behind `external.webhook.` in the event. */
  readonly action: string | undefined;
  /** The body as the third party sent it: compute its signature over this string. `undefined` when the platform sends it parsed. */
  readonly body: string | undefined;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The media type of `body`. */
  readonly contentType: string | undefined;
  /** In upper case. */
  readonly method: string | undefined;
  /** The query of the request. */
  readonly queryParams: Readonly<Record<string, unknown>>;
  /** The URL that the third party called. Some compute their signature over it and the fields of a form. */
  readonly originalUrl: string | undefined;
  /** When the platform received the request, as it writes it. */
  readonly receivedAt: string | undefined;
}

/** Returns the request of a third party in a payload; `undefined` in other envelopes. */
export function externalWebhookOf(payload: KiketPayload | undefined): KiketExternalWebhook | undefined {
  const webhook = payload?.['external_webhook'];
  if (!isObject(webhook)) return undefined;
  const { body, headers, content_type, method, query_params, original_url } = webhook;
  return {
    action: nonEmptyString(payload?.['action']),
    body: typeof body === 'string' ? body : undefined,
    headers: toLowerCase(headers),
    contentType: nonEmptyString(content_type),
    method: nonEmptyString(method)?.toUpperCase(),
    queryParams: isObject(query_params) ? query_params : {},
    originalUrl: nonEmptyString(original_url),
    receivedAt: nonEmptyString(payload?.['received_at']),
  };
}

/** Joins the values of a header that is given as an array. Others than strings are left out. */
function toLowerCase(headers: unknown): Record<string, string> {
  const entries = Object.entries(isObject(headers) ? headers : {});
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const values = [value].flat().filter(isString);
      return values.length > 0 ? [[name.toLowerCase(), values.join(', ')]] : [];
    }),
  );
}
