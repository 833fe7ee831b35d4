import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { handleWithin } from '../handler.mjs';
import { requireBuilt } from '../require-built.mjs';
import { SECRET } from '../signing.mjs';

const { Pool } = requireBuilt('undici'); // the copy that kiket-express uses: its versions differ in speed

const pool = new Pool(process.env.KIKET_API_ORIGIN, { connections: 64, headersTimeout: 5_000, bodyTimeout: 5_000 });

const app = express();

app.post('/kiket', express.raw({ type: 'application/json', limit: '1mb' }), async (req, res) => {
  const expected = createHmac('sha256', SECRET).update(req.body).digest();
  const received = Buffer.from(req.get('X-Kiket-Signature') ?? '', 'hex');
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
    return res.status(401).json({ error: 'invalid signature' });
  }
  let payload;
  try {
    payload = JSON.parse(req.body.toString());
  } catch {
    return res.status(400).json({ error: 'invalid JSON' });
  }
  const { statusCode, body } = await pool.request({
    method: 'GET',
    path: '/api/v1/ext/rate_limit',
    headers: { accept: 'application/json', [payload.api.runtime_header]: payload.authentication.runtime_token },
  });
  if (statusCode !== 200) {
    await body.dump();
    return res.status(503).json({ error: `the API responded with ${statusCode}` });
  }
  const { rate_limit: rateLimit } = await body.json();
  res.json(handleWithin(payload, rateLimit.remaining));
});

export default app;
