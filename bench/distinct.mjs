import { createHmac } from 'node:crypto';
import { deliveryBytes } from './delivery.mjs';
import { payloadOf } from './payload.mjs';
import { SECRET } from './signing.mjs';

const BODY_START = '\r\n\r\n';
const SIGNATURE = 'X-Kiket-Signature: ';
const INVOCATION = 'X-Kiket-Invocation: ';
const TOKEN = '"runtime_token":"';
const DIGITS = 12;

/** A payload with room for the number of each delivery. */
export function numberedPayload(bytes) {
  return payloadOf(bytes, { authentication: { token_type: 'runtime', runtime_token: '0'.repeat(DIGITS), scopes: [] } });
}

/**
 * Makes deliveries of `body`, a {@link numberedPayload}, of which no two are the same: each has an invocation and a token of its
 * own, and is signed in Kiket's scheme. They are copies with some digits changed: to write each anew would keep the load
 * generator's core busy.
 */
export function distinctDeliveries(body) {
  const template = deliveryBytes('kiket', body);
  const bodyAt = after(template, BODY_START);
  const signatureAt = after(template, SIGNATURE);
  const numberedAt = [after(template, INVOCATION), after(template, TOKEN)];
  let count = (Date.now() % 1e8) * 1e4; // differs from other rounds, which Redis still holds

  return function next() {
    const bytes = Buffer.from(template);
    const number = String(count++).padStart(DIGITS, '0');
    for (const at of numberedAt) bytes.write(number, at, 'latin1');
    const mac = createHmac('sha256', SECRET).update(bytes.subarray(bodyAt)).digest('hex');
    bytes.write(mac, signatureAt, 'latin1');
    return bytes;
  };
}

function after(bytes, text) {
  const at = bytes.indexOf(text);
  if (at === -1) throw new Error(`The delivery has no ${text.trim()}`);
  return at + text.length;
}
