import { NonRetryableError, RetryableError } from 'kiket-express';

/** The credentials of a Mailjet account, and the origin of Mailjet's API. */
export interface MailjetAccount {
  readonly origin: string;
  readonly apiKey: string;
  readonly secretKey: string;
}

interface Route {
  readonly Email: string;
  readonly Url: string;
}

/**
 * Lets Mailjet send e-mails to `url`, unless it does so already. Resolves to the address whose e-mails it sends.
 *
 * @throws {NonRetryableError} when Mailjet rejects the credentials, {@link RetryableError} for any other failure.
 */
export async function connectRoute(account: MailjetAccount, url: string, signal: AbortSignal): Promise<string> {
  const routes = await callMailjet(account, 'GET', '?Limit=1000', { signal });
  const known = routes.find((route) => route.Url === url);
  if (known !== undefined) return known.Email;
  const [created] = await callMailjet(account, 'POST', '', { body: JSON.stringify({ Url: url }), signal });
  if (created === undefined) throw new RetryableError('Mailjet has not created a route');
  return created.Email;
}

async function callMailjet(
  { origin, apiKey, secretKey }: MailjetAccount,
  method: 'GET' | 'POST',
  query: string,
  init: RequestInit,
): Promise<readonly Route[]> {
  const credentials = Buffer.from(`${apiKey}:${secretKey}`).toString('base64');
  const response = await fetch(`${origin}/v3/REST/parseroute${query}`, {
    ...init,
    method,
    headers: { Authorization: `Basic ${credentials}`, 'Content-Type': 'application/json' },
  });
  if (response.ok) return ((await response.json()) as { Data: Route[] }).Data;
  throw errorFor(response.status);
}

function errorFor(status: number): Error {
  if (status === 401) {
    return new NonRetryableError('Mailjet rejects the API key or the secret key', { code: 'mailjet.unauthorized' });
  }
  if (status === 403) {
    return new NonRetryableError('The Mailjet account may not receive e-mails', { code: 'mailjet.forbidden' });
  }
  return new RetryableError(`Mailjet responded with ${status}`, { code: 'mailjet.unavailable' });
}
