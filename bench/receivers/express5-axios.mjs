import { createHmac, timingSafeEqual } from 'node:crypto';
import axios from 'axios';
import express from 'express';
import { handleWithin } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

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
  // A client for each delivery, as the platform's own SDK makes one: it carries the delivery's token.
  const client = axios.create({
    baseURL: process.env.KIKET_API_ORIGIN,
    timeout: 5_000,
    headers: { Accept: 'application/json', [payload.api.runtime_header]: payload.authentication.runtime_token },
  });
  const { data } = await client.get('/api/v1/ext/rate_limit'); // rejects unless the status is 2xx
  res.json(handleWithin(payload, data.rate_limit.remaining));
});

export default app;
