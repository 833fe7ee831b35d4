import type { KeyObject } from 'node:crypto';
import type { KiketId } from '../guards';
import { checked, oneOf, optional, readOptions, type Option, type OptionTable } from '../options';
import { toKeys, computeMac, type KiketSignatureScheme } from '../signature/hmac';

/** The options of {@link signDelivery}. A header is sent only for an option that is given. */
export interface SignDeliveryOptions {
  /** The secret of the receiver. */
  secret: string | Buffer;
  /** The signature covers timestamp and body, or the body alone. Default `timestamped`. */
  scheme?: KiketSignatureScheme | undefined;
  /** Seconds since 1970. Default now. */
  timestampSeconds?: number | undefined;
  /** `X-Kiket-Event`. */
  event?: string | undefined;
  /** `X-Kiket-Event-Version`. */
  eventVersion?: string | undefined;
  /** `X-Kiket-Invocation`. */
  invocationId?: string | undefined;
  /** `X-Kiket-Project`. */
  projectId?: KiketId | undefined;
  /** `X-Kiket-Organization`. */
  organizationId?: KiketId | undefined;
}

const secretOption: Option<string | Buffer, KeyObject> = {
  default: undefined,
  read: (value, who) => toKeys(who, value)[0]!,
};
// Tests also send what the platform would not.
const stringOption = optional(checked<string>('a string', (value) => typeof value === 'string'));
const numberOption = optional(checked<number>('a number', (value) => typeof value === 'number'));
const idOption = optional(
  checked<KiketId>('a number or a string', (value) => typeof value === 'number' || typeof value === 'string'),
);

const OPTIONS = {
  secret: secretOption,
  scheme: oneOf('timestamped', 'body'),
  timestampSeconds: numberOption,
  event: stringOption,
  eventVersion: stringOption,
  invocationId: stringOption,
  projectId: idOption,
  organizationId: idOption,
} satisfies OptionTable<SignDeliveryOptions>;

/**
 * Returns the body and headers that the platform would send:
 * `request(app).post('/kiket').set(delivery.headers).send(delivery.body)`. An object is written as JSON. A string or a Buffer is
 * signed as it is; for a Buffer, supertest also needs `.serialize((body) => body)`.
 *
 * @throws {TypeError} when an option is invalid or unknown.
 * @example const { headers, body } = signDelivery({ event: 'issue.created' }, { secret });
 */
export function signDelivery(
  payload: Buffer,
  options: Readonly<SignDeliveryOptions>,
): { readonly body: Buffer; readonly headers: Record<string, string> };
export function signDelivery(
  payload: object | string,
  options: Readonly<SignDeliveryOptions>,
): { readonly body: string; readonly headers: Record<string, string> };
export function signDelivery(
  payload: object | string | Buffer,
  options: Readonly<SignDeliveryOptions>,
): { readonly body: string | Buffer; readonly headers: Record<string, string> };
export function signDelivery(
  payload: object | string | Buffer,
  options: Readonly<SignDeliveryOptions>,
): { readonly body: string | Buffer; readonly headers: Record<string, string> } {
  const { secret: key, scheme, ...values } = readOptions('signDelivery', options, OPTIONS);
  const { timestampSeconds = Math.floor(Date.now() / 1000) } = values;
  const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
  const timestamp = scheme === 'timestamped' ? String(timestampSeconds) : undefined;

  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'X-Kiket-Signature': computeMac(key, body, timestamp).toString('hex'),
  };
  const optional = {
    'X-Kiket-Timestamp': timestamp,
    'X-Kiket-Event': values.event,
    'X-Kiket-Event-Version': values.eventVersion,
    'X-Kiket-Invocation': values.invocationId,
    'X-Kiket-Project': values.projectId,
    'X-Kiket-Organization': values.organizationId,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) headers[name] = String(value);
  return { body, headers };
}
