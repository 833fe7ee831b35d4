// Delivers over HTTP as Kiket does, and decides by the response what to do next.
import { performance } from 'node:perf_hooks';
import { setTimeout as delay } from 'node:timers/promises';

/** Retries after the first attempt. */
const MAX_RETRIES = 5;

/** Kiket's own delays are longer. */
const FIRST_DELAY_MS = 10;

/**
 * Delivers until the response is final, and returns one row for each attempt.
 *
 * @param sign creates the bytes and headers of an attempt, with a new signature and the current time.
 */
export async function deliver(url, sign) {
  const rows = [];
  for (let attempt = 1; ; attempt++) {
    const startedAtMs = performance.now();
    const response = await send(url, sign());
    const ms = performance.now() - startedAtMs;
    const retries = isRetryable(response.status) && attempt <= MAX_RETRIES;
    const delayMs = FIRST_DELAY_MS * 2 ** (attempt - 1);
    rows.push({ attempt, response, next: retries ? `retries in ${delayMs} ms` : concludes(response), ms });
    if (!retries) return rows;
    await delay(delayMs);
  }
}

/** Status 0 stands for a network error. */
async function send(url, { headers, body }) {
  try {
    const response = await fetch(url, { method: 'POST', headers, body });
    const text = await response.text();
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
  } catch (error) {
    return { status: 0, body: { error: { code: String(error.cause?.code ?? error.message) } } };
  }
}

function isRetryable(status) {
  return status === 0 || status === 429 || status >= 500;
}

function concludes({ status, body }) {
  if (isRetryable(status)) return 'gives up, alerts';
  if (status >= 400) return 'halts the workflow';
  if (body?.status === 'deny') return 'cancels the transition';
  return 'is done';
}
