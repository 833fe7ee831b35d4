import { middleware, SignatureValidationFailed } from '@line/bot-sdk';
import express from 'express';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const app = express();
app.post('/kiket', middleware({ channelSecret: SECRET }), (req, res) => res.json(handle(req.body)));
app.use((error, _req, res, next) => {
  if (!(error instanceof SignatureValidationFailed)) return next(error);
  res.status(401).json({ error: 'invalid signature' });
});

export default app;
