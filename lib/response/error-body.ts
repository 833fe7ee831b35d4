import type { KiketError, KiketErrorDetail } from '../errors';
import { isObject } from '../guards';
import { scrub } from '../redaction';

/** What a sender is told of an error. No text of it holds one of `secrets`, but the invocation, which is the sender's own. */
export function errorBody(error: KiketError, invocation: string | undefined, secrets: readonly string[]): string {
  const { code, message, retryable } = error;
  const cleaned = (text: unknown): string | undefined => (typeof text === 'string' ? scrub(text, secrets) : undefined);
  // To scrub the invocation would tell a sender whether its guess is a secret.
  const told = { code: cleaned(code), message: cleaned(message), retryable, invocation };
  return JSON.stringify({ error: { ...told, details: detailsOf(error, cleaned) } });
}

type Clean = (text: unknown) => string | undefined;

/** Those that can be read: what users give must not cost the delivery its answer. */
function detailsOf(error: KiketError, clean: Clean): KiketErrorDetail[] {
  try {
    return [...error.details].flatMap((detail: unknown) => toDetail(detail, clean) ?? []);
  } catch {
    return [];
  }
}

/** The fields that are known, each read once, as an accessor may say something else the next time. */
function toDetail(detail: unknown, clean: Clean): KiketErrorDetail | undefined {
  try {
    if (!isObject(detail)) return undefined;
    const { reason, pointer, missing, events } = detail;
    return {
      reason: clean(reason)!,
      pointer: clean(pointer),
      missing: cleanAll(missing, clean),
      events: cleanAll(events, clean),
    } as KiketErrorDetail;
  } catch {
    return undefined;
  }
}

function cleanAll(texts: unknown, clean: Clean): string[] | undefined {
  return Array.isArray(texts) ? texts.flatMap((text) => clean(text) ?? []) : undefined;
}
