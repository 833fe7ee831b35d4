const assert = require('node:assert/strict');
const { once } = require('node:events');
const express = require('express');
const { signDelivery } = require('kiket-express/testing');
const first = require('kiket-express');
const second = require('./second');

const secret = 'whsec_copies';
const payload = { event: 'issue.created' };

assert.notEqual(first.KiketError, second.KiketError);
assert.ok(!(new second.RetryableError('Later') instanceof first.KiketError));
assert.ok(first.KiketError.is(new second.RetryableError('Later')));

const later = () => {
  throw new second.RetryableError('Later', { retryAfterSeconds: 7 });
};
const app = express();
app.set('env', 'test');
app.post(
  '/handled',
  first.kiketVerify(secret),
  second.kiketParse(),
  first.kiketHandler(({ event }) => ({ event })),
);
app.post('/later', first.kiket({ secret }), second.kiketHandler(later), first.kiketErrorHandler());

async function main() {
  const server = app.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { body, headers } = signDelivery(payload, { secret });
  const deliver = (path) =>
    fetch(`http://127.0.0.1:${server.address().port}${path}`, { method: 'POST', headers, body });

  const response = await deliver('/handled');
  assert.deepEqual([response.status, await response.json()], [200, payload]);

  const retried = await deliver('/later');
  assert.deepEqual([retried.status, retried.headers.get('Retry-After')], [503, '7']);
  assert.equal((await retried.json()).error.code, 'handler.retryable');

  server.close();
  console.log('delivered');
}

void main();
