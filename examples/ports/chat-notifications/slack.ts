import { NonRetryableError, RetryableError } from 'kiket-express';
import type { Message } from './messages';

/** Errors of Slack after which another attempt may succeed. */
const TEMPORARY = ['internal_error', 'fatal_error', 'request_timeout', 'service_unavailable', 'ratelimited'];

/**
 * Posts a message. Resolves to its id.
 *
 * @throws {RetryableError} when Slack is busy or down, {@link NonRetryableError} when it rejects the message.
 */
export async function postMessage(
  origin: string,
  token: string,
  message: Message,
  signal: AbortSignal,
): Promise<string> {
  const response = await fetch(`${origin}/api/chat.postMessage`, {
    method: 'POST',
    headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json; charset=utf-8' },
    body: JSON.stringify(message),
    signal,
  });
  if (response.status === 429) {
    throw new RetryableError('Slack has received too many messages', {
      code: 'slack.rate_limited',
      retryAfterSeconds: secondsIn(response.headers.get('Retry-After')),
    });
  }
  if (!response.ok) {
    throw new RetryableError(`Slack responded with ${response.status}`, { code: 'slack.unavailable' });
  }
  // Slack responds to most errors with 200.
  const { ok, ts, error } = (await response.json()) as { ok: boolean; ts: string; error: string };
  if (ok) return ts;
  if (TEMPORARY.includes(error)) throw new RetryableError(`Slack has failed: ${error}`, { code: 'slack.unavailable' });
  throw new NonRetryableError(`Slack rejects the message: ${error}`, { code: 'slack.rejected' });
}

function secondsIn(header: string | null): number | undefined {
  return header !== null && /^\d+$/.test(header) ? Number(header) : undefined;
}
