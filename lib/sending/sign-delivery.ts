import type { KeyObject } from 'node:crypto';
import type { KiketId } from '../guards';
import { checked, oneOf, optional, readOptions, type Option, type OptionTable } from '../options';
import { toKeys, computeMac, type KiketSignatureScheme } from '../signature/hmac';

/** The options of {@link signDelivery}. A header is sent only for an option that is given. */
export interface SignDeliveryOptions {
  /** The secret of the receiver. */
  secret: string | Buffer;
  /**
   * The bytes that the signature covers: `timestamped` signs `<timestamp>.<body>`, `body` the body alone. Default
   * `timestamped`.
   */
  scheme?: KiketSignatureScheme | undefined;
  /** The time of the signature, in seconds since 1970. Default now. */
  timestampSeconds?: number | undefined;
  /** Value of `X-Kiket-Event`. Default none. */
  event?: string | undefined;
  /** Value of `X-Kiket-Event-Version`. Default none. */
  eventVersion?: string | undefined;
  /** Value of `X-Kiket-Invocation`. Default none. */
  invocationId?: string | undefined;
  /** Value of `X-Kiket-Project`. Default none. */
  projectId?: KiketId | undefined;
  /** Value of `X-Kiket-Organization`. Default none. */
  organizationId?: KiketId | undefined;
}

/** The request that {@link signDelivery} returns. An interface that is not exported could not be named in users' declarations. */
type SignedDelivery<Body> = {
  /** The signed bytes, or the text of which they are the UTF-8. */
  readonly body: Body;
  /** By their names: the type of the body, the signature, and one for each given option. */
  readonly headers: Record<string, string>;
};

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
export function signDelivery(payload: Buffer, options: Readonly<SignDeliveryOptions>): SignedDelivery<Buffer>;
export function signDelivery(payload: object | string, options: Readonly<SignDeliveryOptions>): SignedDelivery<string>;
export function signDelivery(
  payload: object | string | Buffer,
  options: Readonly<SignDeliveryOptions>,
): SignedDelivery<string | Buffer>;
export function signDelivery(
  payload: object | string | Buffer,
  options: Readonly<SignDeliveryOptions>,
): SignedDelivery<string | Buffer> {
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
