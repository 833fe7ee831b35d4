// The cost of a delivery whose handler calls Kiket's API once: node call-back.mjs
import { startApi, TOKEN, TOKEN_HEADER } from './api.mjs';
import { compare } from './compare.mjs';
import { check } from './measure.mjs';
import { readOptions } from './options.mjs';
import { payloadOf } from './payload.mjs';
import { CALLING_BACK } from './receivers.mjs';

const options = readOptions(CALLING_BACK);
const api = await startApi();
process.env.KIKET_API_ORIGIN = api.origin; // the receivers inherit it

await compare(options, bodyOf, checkCalls);
api.close();

function bodyOf(bytes) {
  return payloadOf(bytes, {
    authentication: {
      token_type: 'runtime',
      runtime_token: TOKEN,
      expires_at: '2099-12-31T23:59:59Z',
      scopes: ['project:27'],
    },
    api: { base_url: api.origin, runtime_header: TOKEN_HEADER },
  });
}

/** A receiver must not omit the call and so look fast, and must not call for a delivery that it refuses. */
async function checkCalls(receiver, body) {
  const before = api.calls;
  await check(receiver, body);
  if (api.calls !== before + 1) throw new Error(`${receiver.id} made ${api.calls - before} calls, not one`);
}
