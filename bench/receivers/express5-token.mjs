// Verifies a delivery like the platform's own SDK for Node: keys are kept for an hour, and searched for each token.
import express from 'express';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { handle } from '../handler.mjs';

const HOUR_MS = 3_600_000;
let kept;

async function keySet() {
  if (kept === undefined || Date.now() - kept.fetchedAt > HOUR_MS) {
    const response = await fetch(process.env.KIKET_JWKS_URL);
    kept = { keys: await response.json(), fetchedAt: Date.now() };
  }
  return createLocalJWKSet(kept.keys);
}

const app = express();

app.post('/kiket', express.json({ limit: '1mb' }), async (req, res) => {
  const token = req.body.authentication?.runtime_token;
  try {
    await jwtVerify(token, await keySet(), { algorithms: ['ES256'], issuer: 'kiket.dev' });
  } catch (error) {
    return res.status(401).json({ error: error.message });
  }
  res.json(handle(req.body));
});

export default app;
