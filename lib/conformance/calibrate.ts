import { setTimeout as wait } from 'node:timers/promises';
import { isObject } from '../guards';
import { isTaken, objectOf, shownResponse, textOf, type Exchange } from './exchange';
import { signed } from './probe';
import type { CheckSession, SignatureForm } from './session';

/** The run did not begin: no genuine delivery was taken. */
export class NotCalibratedError extends Error {}

const FORMS: readonly SignatureForm[] = [
  { scheme: 'timestamped', prefix: '' },
  { scheme: 'body', prefix: '' },
  { scheme: 'timestamped', prefix: 'sha256=' },
  { scheme: 'body', prefix: 'sha256=' },
];

/** Codes of a port at which nothing listens yet. */
const NOT_YET = ['ECONNREFUSED', 'ECONNRESET'];

const PAUSE_MS = 100;

/**
 * Waits until the receiver listens, and finds the form of signature that it accepts.
 *
 * @param wanted the forms to try.
 * @throws {NotCalibratedError} when none is accepted.
 */
export async function calibrate(
  session: CheckSession,
  waitMs: number,
  wanted: { readonly scheme: 'auto' | SignatureForm['scheme']; readonly prefix: string | undefined },
): Promise<void> {
  const forms = FORMS.filter(
    ({ scheme, prefix }) =>
      (wanted.scheme === 'auto' || scheme === wanted.scheme) &&
      (wanted.prefix === undefined || prefix === wanted.prefix),
  );
  const tried: string[] = [];
  const until = Date.now() + waitMs;
  for (const form of forms) {
    session.form = form;
    const exchange = await sendWhenListening(session, until);
    if (isTaken(exchange)) {
      session.genuine = exchange;
      return;
    }
    if (session.isInterrupted) throw new NotCalibratedError('interrupted before the first delivery was taken');
    if ('failure' in exchange.attempt) {
      throw new NotCalibratedError(`${session.settings.url}: ${exchange.attempt.failure.message}`);
    }
    // The cases judge responses in the right form only.
    session.exchanges.pop();
    tried.push(`  ${nameOf(form)}: ${shownResponse(exchange)}${handledEvents(exchange)}`);
  }
  throw new NotCalibratedError(
    `${session.settings.url} takes no genuine delivery of ${session.settings.event}, so nothing can be checked.\n` +
      `${tried.join('\n')}\nGive an event that it handles (--event), the secret that it has, and the secrets of the payload that it needs.`,
  );
}

async function sendWhenListening(session: CheckSession, until: number): Promise<Exchange> {
  for (;;) {
    const delivery = session.delivery();
    const change = { event: session.settings.event };
    const exchange = await session.send('calibration', 'a genuine delivery', signed(delivery), change);
    const { attempt } = exchange;
    const isWaiting = 'failure' in attempt && NOT_YET.includes(attempt.failure.code);
    if (!isWaiting || Date.now() > until || session.isInterrupted) return exchange;
    session.exchanges.pop();
    await wait(PAUSE_MS);
  }
}

function nameOf({ scheme, prefix }: SignatureForm): string {
  return prefix === '' ? scheme : `${scheme}, with ${prefix}`;
}

/** A receiver of this package names the events that it handles. */
function handledEvents(exchange: Exchange): string {
  const error = objectOf(exchange)?.['error'];
  const details = isObject(error) ? error['details'] : undefined;
  const events = (Array.isArray(details) ? (details as unknown[]) : []).flatMap((detail) =>
    isObject(detail) && Array.isArray(detail['events']) ? detail['events'].map(String) : [],
  );
  return events.length === 0 || textOf(exchange) === '' ? '' : `\n    It handles: ${events.join(', ')}`;
}
