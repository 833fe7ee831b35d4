// The kinds of requests of attacks and accidents.
import { connect } from 'node:net';
import { clearTimeout, setImmediate, setTimeout } from 'node:timers';
import { signDelivery } from 'kiket-express/testing';

export const secret = 'whsec_soak';

/** Maximum lifetime of a connection, in milliseconds. */
const PATIENCE_MS = 400;

const PATHS = ['/kiket', '/once', '/plain', '/steps', '/undated', '/verify', '/lookup', '/report', '/captured'];

let issues = 0;

/** Sends `count` requests ahead on one connection, and cuts every third one at a random byte. Resolves at its end. */
export function sendBatch(port, count, random) {
  const bytes = Buffer.concat(Array.from({ length: count }, () => Buffer.from(requestOf(random), 'latin1')));
  const cut = random.chance(0.33) ? random.below(bytes.length) : bytes.length;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => socket.destroy(), PATIENCE_MS);
    let responses = 0;
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.on('data', (chunk) => {
      responses += chunk.toString('latin1').split('HTTP/1.1 ').length - 1;
      if (responses >= count) socket.destroy();
    });
    socket.on('connect', () => {
      const parts = random.chance(0.1) ? 1 + random.below(20) : 1;
      write(socket, bytes.subarray(0, cut), parts);
      if (cut < bytes.length) setImmediate(() => (random.chance(0.5) ? socket.destroy() : socket.resetAndDestroy()));
      else if (random.chance(0.05)) socket.end();
    });
  });
}

/** In parts, each in a turn of its own. */
function write(socket, bytes, parts) {
  const size = Math.ceil(bytes.length / parts);
  let start = 0;
  const next = () => {
    if (socket.destroyed || start >= bytes.length) return;
    socket.write(bytes.subarray(start, (start += size)));
    setImmediate(next);
  };
  next();
}

function requestOf(random) {
  const kind = random.pick(KINDS);
  // A delivery that is sometimes repeated.
  const id = random.chance(0.2) ? random.below(50) : 1000 + issues++;
  const body = JSON.stringify({
    event: 'issue.created',
    issue: { id, project_id: 27 },
    secrets: { A: 'secret of the soak' },
  });
  return kind(random.pick(PATHS), body, random);
}

const KINDS = [
  valid,
  valid,
  valid,
  (path, body) => request(path, body, { ...signed(body, 'body'), 'X-Kiket-Timestamp': '2026-11-30T00:00:00Z' }),
  (path, body) => request(path, body, {}),
  (path, body) => request(path, body, { 'X-Kiket-Signature': '0'.repeat(64) }),
  (path, body) => request(path, body, { ...signed(body, 'body'), 'X-Kiket-Timestamp': '1' }),
  (path, body) => request(path, body, { ...signed(body), 'Content-Type': 'application/json; charset=utf-7' }),
  (path, body) => request(path, body, { ...signed(body), 'Content-Encoding': 'gzip' }),
  (path, body) => request(path, body, { ...signed(body), 'X-Kiket-Event': 'issue.updated' }),
  (path, body) => request(path, body, { ...signed(body), 'Content-Length': '99999999' }),
  (path, body) => request(path, body, { ...signed(body), 'X-Kiket-Invocation': String(body.length) }),
  (path, body, random) => chunked(path, body, 1 + random.below(40)),
  (path, body) => chunked(path, body, 1),
  (path, body) => `${chunked(path, body, 20)}no HTTP at all\r\n\r\n`,
  (path) => valid(path, 'no JSON'),
  (path) => valid(path, '{"no":"event"}'),
  (path) => valid(path, `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`),
  (path, body, random) =>
    random.chance(0.02) ? valid(path, body.replace('}}', `},"x":"${'x'.repeat(1_100_000)}"}`)) : valid(path, body),
  (path) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`,
  (path) => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n${'X-A: b\r\n'.repeat(20)}\r\n0123456789`,
];

function valid(path, body) {
  return request(path, body, signed(body));
}

function signed(body, scheme = 'timestamped') {
  return signDelivery(body, { secret, scheme }).headers;
}

function chunked(path, body, size) {
  let chunks = '';
  for (let at = 0; at < body.length; at += size) {
    const chunk = body.slice(at, at + size);
    chunks += `${chunk.length.toString(16)}\r\n${chunk}\r\n`;
  }
  const headers = { ...signed(body), 'Transfer-Encoding': 'chunked' };
  return `${head(path, headers)}${chunks}0\r\n\r\n`;
}

function request(path, body, headers) {
  return head(path, { 'Content-Length': String(body.length), ...headers }) + body;
}

function head(path, headers) {
  const all = { Host: 'a', 'Content-Type': 'application/json', ...headers };
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`);
  return `POST ${path} HTTP/1.1\r\n${lines.join('')}\r\n`;
}
