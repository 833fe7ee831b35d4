import assert from 'node:assert/strict';
import { once } from 'node:events';
import express from 'express';
import { captureRawBody, KiketError, RetryableError, allow, deny, kiketDelivery, pending } from 'kiket-express';
import { kiketErrorHandler } from 'kiket-express/error-handler';
import { kiketHandler } from 'kiket-express/handler';
import { kiketParse } from 'kiket-express/parse';
import { kiketRawBody } from 'kiket-express/raw-body';
import { kiketRespond } from 'kiket-express/respond';
import { signDelivery } from 'kiket-express/testing';
import { kiketVerify } from 'kiket-express/verify';

const secret = 'whsec_esm';
const app = express();
app.set('env', 'test');
app.use('/parsed', express.json({ limit: '1mb', verify: captureRawBody }));
app.post(
  '/guard',
  kiketRawBody(),
  kiketVerify(secret),
  kiketParse(),
  kiketRespond(),
  kiketHandler('workflow.before_transition', ({ payload }) => {
    if (payload.transition.to === 'done') return deny('Not yet');
    if (payload.transition.to === 'review') return pending('Ask');
    return allow();
  }),
);
app.post('/parsed', kiketVerify(secret), kiketParse(), kiketRespond(), (req, res) => {
  if (kiketDelivery(req).event === 'issue.updated') throw new RetryableError('Not now');
  res.kiket.ok({ event: req.kiket.event });
});
app.use(kiketErrorHandler());

const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');

async function deliver(path, payload) {
  const { body, headers } = signDelivery(payload, { secret });
  const url = `http://127.0.0.1:${server.address().port}${path}`;
  const response = await fetch(url, { method: 'POST', headers, body });
  return [response.status, await response.json()];
}
const guarded = (to) => deliver('/guard', { event: 'workflow.before_transition', transition: { to } });

assert.deepEqual(await guarded('open'), [200, { status: 'allow' }]);
assert.deepEqual(await guarded('done'), [200, { status: 'deny', message: 'Not yet' }]);
assert.deepEqual(await guarded('review'), [200, { status: 'pending', message: 'Ask' }]);
assert.deepEqual(await deliver('/parsed', { event: 'issue.created' }), [200, { event: 'issue.created' }]);

const [status, { error }] = await deliver('/parsed', { event: 'issue.updated' });
assert.deepEqual([status, error.code, error.retryable], [503, 'handler.retryable', true]);
assert.ok(KiketError.is(new RetryableError('Not now')));

server.close();
console.log('delivered');
