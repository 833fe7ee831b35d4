import type { KiketError, KiketErrorDetail } from '../errors';
import { isObject } from '../guards';

/**
 * The JSON of an error response.
 *
 * @param redact is applied to every string but the invocation: a redacted one would tell the sender that its guess is a secret.
 */
export function errorBody(error: KiketError, invocation: string | undefined, redact: (text: string) => string): string {
  const { code, message, retryable } = error;
  const cleaned = (text: unknown): string | undefined => (typeof text === 'string' ? redact(text) : undefined);
  const fields = { code: cleaned(code), message: cleaned(message), retryable, invocation };
  return JSON.stringify({ error: { ...fields, details: detailsOf(error, cleaned) } });
}

type Clean = (text: unknown) => string | undefined;

/** The details that can be read. Invalid ones must not cost the delivery its response. */
function detailsOf(error: KiketError, clean: Clean): KiketErrorDetail[] {
  try {
    return [...error.details].flatMap((detail: unknown) => toDetail(detail, clean) ?? []);
  } catch {
    return [];
  }
}

/** The known fields, each read once, as an accessor may return another value the next time. */
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
