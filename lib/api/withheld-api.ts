import type { KiketApi } from './client';
import { deliveryUnverifiedError } from '../errors';

/** The client of an unverified delivery: every method throws `delivery.unverified`, or rejects with it. */
export class WithheldApi implements KiketApi {
  readonly lastRateLimit = undefined;
  readonly rateLimit = rejectUnverified;
  readonly members = rejectUnverified;
  readonly webhookUrl = rejectUnverified;
  readonly extension = rejectUnverified;
  readonly logEvent = rejectUnverified;
  readonly log = rejectUnverified;
  readonly metric = rejectUnverified;
  readonly notify = rejectUnverified;
  readonly sendTelemetry = rejectUnverified;
  readonly request = rejectUnverified;
  readonly customData = throwUnverified;
  readonly slaEvents = throwUnverified;
  readonly intakeForms = throwUnverified;
  readonly issues = throwUnverified;
  readonly inboundEmails = throwUnverified;
  readonly extensionSecrets = throwUnverified;
}

function throwUnverified(): never {
  throw deliveryUnverifiedError("Kiket's API is not called for it");
}

// eslint-disable-next-line @typescript-eslint/require-await -- methods that return promises reject instead of throwing
async function rejectUnverified(): Promise<never> {
  return throwUnverified();
}
