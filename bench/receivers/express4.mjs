import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express4';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const app = express();

app.post('/kiket', express.raw({ type: 'application/json', limit: '1mb' }), (req, res) => {
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
  res.json(handle(payload));
});

export default app;
