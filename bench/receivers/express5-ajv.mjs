import { createHmac, timingSafeEqual } from 'node:crypto';
import { Ajv } from 'ajv';
import express from 'express';
import { CONTRACT_SCHEMA } from '../contract-schema.mjs';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const validate = new Ajv({ allowUnionTypes: true }).compile(CONTRACT_SCHEMA);

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
  if (!validate(payload)) return res.status(422).json({ error: 'invalid payload', details: validate.errors });
  res.json(handle(payload));
});

export default app;
