const assert = require('node:assert/strict');
const express = require('express');
const { RetryableError, kiket, kiketErrorHandler, kiketHandler } = require('kiket-express');
const { signDelivery } = require('kiket-express/testing');

const secret = 'whsec_commonjs';
const payloadSchemas = { 'issue.created': { type: 'object', required: ['issue'] } };

const app = express();
app.set('env', 'test');
app.post(
  '/kiket',
  kiket({ secret, payloadSchemas }),
  kiketHandler('issue.created', ({ payload }) => {
    if (payload.issue.title === 'later') throw new RetryableError('Not now', { retryAfterSeconds: 7 });
    return { title: payload.issue.title };
  }),
  kiketErrorHandler(),
);

async function deliver(port, payload, changes) {
  const { body, headers } = signDelivery(payload, { secret });
  const response = await fetch(`http://127.0.0.1:${port}/kiket`, {
    method: 'POST',
    headers: { ...headers, ...changes },
    body,
  });
  return { status: response.status, retryAfter: response.headers.get('Retry-After'), json: await response.json() };
}

const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address();
  const created = (title) => ({ event: 'issue.created', issue: { id: 1, title } });

  const accepted = await deliver(port, created('now'));
  assert.deepEqual(accepted, { status: 200, retryAfter: null, json: { title: 'now' } });

  const retried = await deliver(port, created('later'));
  assert.deepEqual([retried.status, retried.retryAfter], [503, '7']);

  const forged = await deliver(port, created('now'), { 'X-Kiket-Signature': '0'.repeat(64) });
  assert.deepEqual([forged.status, forged.json.error.code], [401, 'signature.mismatch']);

  const invalid = await deliver(port, { event: 'issue.created' });
  assert.deepEqual([invalid.status, invalid.json.error.code], [422, 'payload.invalid']);

  server.close();
  console.log('delivered');
});
