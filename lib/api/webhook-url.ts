import { isString } from '../guards';
import { malformedError } from './api-errors';
import { objectOf, type Requests } from './requests';

/** Where another system sends its webhooks, for Kiket to deliver them as `external.webhook.<action>`. */
export interface KiketWebhookUrl {
  /** The URL to register at the other system; `null` when Kiket has none for the action. */
  readonly url: string | null;
  /** The part of the URL that identifies the installation. Whoever knows it can send webhooks. */
  readonly token: string | null;
  /** The URL without token and action. */
  readonly baseUrl: string | null;
}

/** Fetches the URL for the webhooks of an action. */
export async function webhookUrl(api: Requests, action: string): Promise<KiketWebhookUrl> {
  const response = await api.request('GET', '/api/v1/ext/webhook_url', { query: { action_name: action } });
  const { webhook_url: url, webhook_token: token = null, webhook_base_url: baseUrl = null } = objectOf('GET', response);
  if (isStringOrNull(url) && isStringOrNull(token) && isStringOrNull(baseUrl)) return { url, token, baseUrl };
  throw malformedError('GET');
}

function isStringOrNull(value: unknown): value is string | null {
  return value === null || isString(value);
}
