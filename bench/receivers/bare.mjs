import { createHmac, timingSafeEqual } from 'node:crypto';
import { handle } from '../handler.mjs';
import { SECRET } from '../signing.mjs';

const LIMIT = 1024 * 1024;

export default function receive(req, res) {
  const chunks = [];
  let length = 0;
  req.on('data', (chunk) => {
    length += chunk.length;
    if (length <= LIMIT) chunks.push(chunk);
  });
  req.on('end', () => {
    if (length > LIMIT) return respond(res, 413, { error: 'too large' });
    const body = Buffer.concat(chunks, length);
    const expected = createHmac('sha256', SECRET).update(body).digest();
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
  res.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) });
  res.end(body);
}
