import { toKeys, computeMac, type KiketSignatureScheme } from '../signature/hmac';

export interface SignDeliveryOptions {
  secret: string | Buffer;
  /** Default `timestamped`. */
  scheme?: KiketSignatureScheme | undefined;
  /** Seconds since 1970. Default now. */
  timestampSeconds?: number | undefined;
  event?: string | undefined;
  eventVersion?: string | undefined;
  invocationId?: string | undefined;
  projectId?: number | undefined;
  organizationId?: number | undefined;
}

/**
 * The bytes and headers that the platform would send:
 * `request(app).post('/kiket').set(delivery.headers).send(delivery.body)`; for a Buffer, supertest also needs
 * `.serialize((body) => body)`, or it sends it as JSON.
 *
 * An object is written as JSON; a text or a Buffer is signed as it is. Headers are sent for the options that are given.
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
