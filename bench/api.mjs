import { once } from 'node:events';
import { createServer } from 'node:http';

export const TOKEN = 'rt_a_token_for_the_bench';
export const TOKEN_HEADER = 'X-Kiket-Runtime-Token';

const RATE_LIMIT = JSON.stringify({ rate_limit: { limit: 600, remaining: 599, reset_in: 52, window_seconds: 60 } });
const REFUSAL = JSON.stringify({ error: 'Invalid runtime token' });

/**
 * The one endpoint of Kiket's API that is called, without a limit. It runs in the load generator's process: on its core, and
 * counted in its CPU time, so that the report shows where API and load together may have limited the throughput.
 */
export async function startApi() {
  const api = { calls: 0, origin: '', close };
  const server = createServer((req, res) => {
    api.calls += 1;
    const granted = req.url === '/api/v1/ext/rate_limit' && req.headers[TOKEN_HEADER.toLowerCase()] === TOKEN;
    const body = granted ? RATE_LIMIT : REFUSAL;
    res.writeHead(granted ? 200 : 401, {
      'Content-Type': 'application/json; charset=utf-8',
      'Content-Length': Buffer.byteLength(body),
      'X-RateLimit-Limit': '600',
      'X-RateLimit-Remaining': '599',
      'X-RateLimit-Reset': '52',
    });
    res.end(body);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  api.origin = `http://127.0.0.1:${server.address().port}`;
  return api;

  function close() {
    server.close();
    server.closeAllConnections();
  }
}
