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
  projectId?: number | undefined;
  /** `X-Kiket-Organization`. */
  organizationId?: number | undefined;
}

/**
 * Returns the body and headers that the platform would send:
 * `request(app).post('/kiket').set(delivery.headers).send(delivery.body)`. An object is written as JSON. A string or a Buffer is
 * signed as it is; for a Buffer, supertest also needs `.serialize((body) => body)`.
 *
 * @throws {TypeError} when `secret` is empty or has surrounding white space.
 */
export function signDelivery(
  payload: object | string | Buffer,
  options: Readonly<SignDeliveryOptions>,
): { readonly body: string | Buffer; readonly headers: Record<string, string> } {
  const { secret, scheme = 'timestamped', timestampSeconds = Math.floor(Date.now() / 1000) } = options;
  const body = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload : JSON.stringify(payload);
  const timestamp = scheme === 'timestamped' ? String(timestampSeconds) : undefined;
  const [key] = toKeys('signDelivery', secret);

  const headers: Record<string, string> = {
    'Content-Type': 'application/json',
    'X-Kiket-Signature': computeMac(key!, body, timestamp).toString('hex'),
  };
  const optional = {
    'X-Kiket-Timestamp': timestamp,
    'X-Kiket-Event': options.event,
    'X-Kiket-Event-Version': options.eventVersion,
    'X-Kiket-Invocation': options.invocationId,
    'X-Kiket-Project': options.projectId,
    'X-Kiket-Organization': options.organizationId,
  };
  for (const [name, value] of Object.entries(optional)) if (value !== undefined) headers[name] = String(value);
  return { body, headers };
}
