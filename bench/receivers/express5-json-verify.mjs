import { createHmac, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

/** When it throws, express.json responds with 403. */
function verify(req, _res, body) {
  const expected = createHmac('sha256', SECRET).update(body).digest();
  const received = Buffer.from(req.headers['x-kiket-signature'] ?? '', 'hex');
  if (received.length !== expected.length || !timingSafeEqual(received, expected)) throw new Error('invalid signature');
}

const app = express();
app.post('/kiket', express.json({ limit: '1mb', verify }), (req, res) => res.json(handle(req.body)));

export default app;
