import type { RequestListener } from 'node:http';
import { signDelivery, type SignDeliveryOptions } from 'kiket-express/testing';
import request, { type Test } from 'supertest';
import example from '../fixtures/example-delivery.json';

/** The delivery secret of all tests. */
export const secret = 'whsec_canary_signing_secret';

/** The contract's own example of a delivery. */
export { example };

export interface DeliverOptions extends Partial<SignDeliveryOptions> {
  /** Default '/kiket'. */
  path?: string;
  /** Added to the signed headers, or in place of them; `undefined` removes one. */
  headers?: Record<string, string | undefined>;
}

/** Signs a payload as the platform does and sends it: `await deliver(app, payload).expect(401)`. */
export function deliver(
  app: RequestListener,
  payload: object | string | Buffer = example,
  options: DeliverOptions = {},
): Test {
  const { path = '/kiket', headers = {}, ...signing } = options;
  const delivery = signDelivery(payload, { secret, ...signing });
  const test = request(app).post(path);
  for (const [name, value] of Object.entries({ ...delivery.headers, ...headers })) {
    if (value !== undefined) test.set(name, value);
  }
  // As bytes: supertest would write a Buffer as JSON.
  return test.serialize((body) => body as string).send(delivery.body);
}
