import type { IncomingMessage } from 'node:http';
import type { Delivery } from '../delivery/delivery';
import { KiketError, SignatureError } from '../errors';
import { quoted } from '../text';

/** What is used of an exchange. */
interface ParsedExchange {
  readonly req: IncomingMessage;
  readonly authenticity: { readonly status: string };
  readonly parsed: object | undefined;
  readonly delivery: { readonly verified: boolean | undefined };
}

/** @internal Why `who` cannot have a whole delivery from this request; undefined when it can. */
export function refuseIncomplete(exchange: ParsedExchange | undefined, who: string): KiketError | undefined {
  if (exchange?.authenticity.status === 'unsigned') return signatureMissing(exchange.req);
  if (exchange?.parsed !== undefined) return undefined;
  return wiringMissing(who, exchange?.delivery.verified === undefined ? 'kiketVerify' : 'kiketParse');
}

/** @internal */
export function wiringMissing(who: string, missing: string): KiketError {
  return KiketError.of(
    'wiring.missing',
    `${who} needs ${missing}, which has not run on this request. Mount ${missing} before it, or kiket() in place of them.`,
  );
}

/** @internal */
export function signatureMissing({ method = 'POST' }: IncomingMessage): SignatureError {
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

/** @internal @param events what is handled in place of the event that came. */
export function eventUnhandled(
  { event, eventVersion = '' }: Pick<Delivery, 'event' | 'eventVersion'>,
  events: readonly string[],
): KiketError {
  const came = event === undefined ? 'a delivery that names no event' : `${quoted(event)} ${quoted(eventVersion)}`;
  return KiketError.of('event.unhandled', `No handler is registered for ${came}.`, {
    details: [{ reason: 'The events that are handled here', events }],
  });
}
