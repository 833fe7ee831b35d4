import type { IncomingMessage } from 'node:http';
import type { Delivery } from '../delivery/delivery';
import { KiketError, SignatureError } from '../errors';
import { quoted } from '../text';

/** The members of an exchange that are used. */
interface ParsedExchange {
  readonly req: IncomingMessage;
  readonly authenticity: { readonly status: string };
  readonly parsed: object | undefined;
  readonly delivery: { readonly verified: boolean | undefined };
}

/** @internal Returns an error when `who` runs before the delivery is parsed. */
export function incompleteError(exchange: ParsedExchange | undefined, who: string): KiketError | undefined {
  if (exchange?.authenticity.status === 'unsigned') return signatureMissingError(exchange.req);
  if (exchange?.parsed !== undefined) return undefined;
  return wiringMissingError(who, exchange?.delivery.verified === undefined ? 'kiketVerify' : 'kiketParse');
}

/** @internal `who` needs the middleware `missing` before it. */
export function wiringMissingError(who: string, missing: string): KiketError {
  return KiketError.of(
    'wiring.missing',
    `${who} needs ${missing}, which has not run on this request. Mount ${missing} before it, or kiket() in place of them.`,
  );
}

/** @internal The request carries no signature. */
export function signatureMissingError({ method = 'POST' }: IncomingMessage): SignatureError {
  const missing =
    method === 'POST'
      ? 'The request has no X-Kiket-Signature.'
      : `This is a ${quoted(method)} request without X-Kiket-Signature. Kiket sends deliveries by POST.`;
  return SignatureError.of(
    'signature.missing',
    `${missing} If it is not meant for Kiket, mount the middleware on a path, ` +
      "app.use('/kiket', kiketVerify(secret)), or pass signatureRequired: false; a plain handler must then check req.kiket?.verified.",
  );
}

/** @internal @param events the events that have a handler. */
export function eventUnhandledError(
  { event, eventVersion = '' }: Pick<Delivery, 'event' | 'eventVersion'>,
  events: readonly string[],
): KiketError {
  const came = event === undefined ? 'a delivery that names no event' : `${quoted(event)} ${quoted(eventVersion)}`;
  return KiketError.of('event.unhandled', `No handler is registered for ${came}.`, {
    details: [{ reason: 'The events that are handled here', events }],
  });
}
