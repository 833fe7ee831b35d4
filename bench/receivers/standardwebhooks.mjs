import express from 'express';
import { Webhook } from 'standardwebhooks';
import { handle } from '../handler.mjs';
import { SECRET_BASE64 } from '../signing.mjs';

const webhook = new Webhook(SECRET_BASE64);

const app = express();

app.post('/kiket', express.raw({ type: 'application/json', limit: '1mb' }), (req, res) => {
  let payload;
  try {
    payload = webhook.verify(req.body, req.headers);
  } catch (error) {
    return res.status(400).json({ error: error.message });
  }
  res.json(handle(payload));
});

export default app;
