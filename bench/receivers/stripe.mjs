import express from 'express';
import { Stripe } from 'stripe';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const { webhooks } = new Stripe('no key: nothing is called');

const app = express();

app.post('/kiket', express.raw({ type: 'application/json', limit: '1mb' }), (req, res) => {
  let payload;
  try {
    payload = webhooks.constructEvent(req.body, req.get('Stripe-Signature'), SECRET);
  } catch (error) {
    return res.status(400).json({ error: error.message });
  }
  res.json(handle(payload));
});

export default app;
