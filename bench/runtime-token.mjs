// The cost of a delivery that is authenticated by its runtime token alone, with cached keys: node runtime-token.mjs
import { compare } from './compare.mjs';
import { deliveryBytes } from './delivery.mjs';
import { startKeyServer } from './key-server.mjs';
import { statusOf } from './load.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { TOKENS } from './receivers.mjs';
import { withReceiver } from './receiver-process.mjs';

const options = readOptions(TOKENS);
const keys = await startKeyServer();
process.env.KIKET_JWKS_URL = keys.url; // the receivers inherit it

await compare(options, (bytes) => bodyWith(keys.token, bytes), checkTokens);
keys.close();

function bodyWith(token, bytes) {
  return payloadOf(bytes, {
    authentication: { token_type: 'runtime', runtime_token: token, expires_at: '2099-12-31T23:59:59Z', scopes: [] },
  });
}

/** Nothing authenticates the body, so the forged delivery has a token of another key. */
function checkTokens({ id, scheme }, body) {
  return withReceiver(id, async ({ port }) => {
    const valid = await statusOf(port, deliveryBytes(scheme, body));
    if (valid !== 200) throw new Error(`The response to a valid delivery was ${valid}`);
    const forged = await statusOf(port, deliveryBytes(scheme, body.replace(keys.token, keys.forgedToken)));
    if (forged !== 401) throw new Error(`The response to a forged token was ${forged}`);
  });
}
