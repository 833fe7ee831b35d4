import type { KiketApi } from './client';
import { deliveryUnverifiedError } from '../errors';

/** Stands for the client of a delivery that nobody has verified: every method throws `delivery.unverified`. */
export class WithheldApi implements KiketApi {
  readonly lastRateLimit = undefined;
  readonly rateLimit = refuseLater;
  readonly logEvent = refuseLater;
  readonly sendTelemetry = refuseLater;
  readonly request = refuseLater;
  readonly customData = refuse;
  readonly slaEvents = refuse;
  readonly intakeForms = refuse;
  readonly issues = refuse;
  readonly extensionSecrets = refuse;
}

function refuse(): never {
  throw deliveryUnverifiedError("Kiket's API is not called for it");
}

// eslint-disable-next-line @typescript-eslint/require-await -- A method that gives a promise rejects, and does not throw.
async function refuseLater(): Promise<never> {
  return refuse();
}
