import { spawn } from 'node:child_process';
import { Redis } from 'ioredis';

/**
 * A Redis for the receivers, which find it by REDIS_URL: the one of that variable, or a `redis-server` of the bench's own. It
 * keeps nothing on disk. In that of the variable, keys stay. `scriptCalls()` counts its runs of scripts.
 */
export async function startRedis() {
  const own = process.env.REDIS_URL === undefined ? await startServer() : undefined;
  const client = new Redis(process.env.REDIS_URL);
  return { scriptCalls, close };

  async function scriptCalls() {
    const info = await client.info('commandstats');
    return [...info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0);
  }

  function close() {
    client.disconnect();
    own?.kill();
  }
}

async function startServer() {
  const port = 6400 + Math.floor(Math.random() * 1000);
  const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no'];
  const server = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  server.stdout.setEncoding('utf8');
  for await (const text of server.stdout) if (text.includes('Ready to accept connections')) break;
  process.env.REDIS_URL = `redis://127.0.0.1:${port}`; // the receivers inherit it
  return server;
}
