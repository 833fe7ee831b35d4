import { createHmac, createSecretKey, timingSafeEqual } from 'node:crypto';
import express from 'express';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const LIMIT = 1024 * 1024;
const key = createSecretKey(SECRET, 'utf8');

function receive(req, res, next) {
  const chunks = [];
  let length = 0;
  req.on('data', (chunk) => {
    length += chunk.length;
    if (length <= LIMIT) chunks.push(chunk);
  });
  req.on('error', next);
  req.on('end', () => {
    if (length > LIMIT) return respond(res, 413, { error: 'too large' });
    const body = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length);
    const expected = createHmac('sha256', key).update(body).digest();
    const received = Buffer.from(req.headers['x-kiket-signature'] ?? '', 'hex');
    if (received.length !== expected.length || !timingSafeEqual(received, expected)) {
      return respond(res, 401, { error: 'invalid signature' });
    }
    let payload;
    try {
      payload = JSON.parse(body.toString());
    } catch {
      return respond(res, 400, { error: 'invalid JSON' });
    }
    respond(res, 200, handle(payload));
  });
}

function respond(res, status, reply) {
  const body = JSON.stringify(reply);
  res.statusCode = status;
  res.setHeader('Content-Type', 'application/json');
  res.setHeader('Content-Length', Buffer.byteLength(body));
  res.end(body);
}

const app = express();
app.post('/kiket', receive);

export default app;
