import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import type { ApiHeaders } from './rate-limit';

export type KiketApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What is used of undici's Dispatcher; structural, so that a dispatcher of any version fits. */
export interface ApiDispatcher {
  request(request: {
    readonly origin: string;
    readonly path: string;
    readonly method: KiketApiMethod;
    readonly headers: Record<string, string>;
    readonly body: string | null;
    readonly signal: AbortSignal;
  }): Promise<{ readonly statusCode: number; readonly headers: ApiHeaders; readonly body: Readable }>;
}

/** Sockets to one origin. What is more waits its turn. */
const CONNECTIONS = 64;

const pools = new Map<string, Pool>();

/** The pool of an origin, which all clients of the process share. */
export function poolOf(origin: string): ApiDispatcher {
  let pool = pools.get(origin);
  if (pool === undefined) {
    // Loaded by the first call, because it takes 90 ms and not every service calls back.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const undici = require('undici') as typeof import('undici');
    pool = new undici.Pool(origin, { connections: CONNECTIONS });
    pools.set(origin, pool);
  }
  return pool;
}

/**
 * Closes the connections to Kiket's API that the process keeps alive, once the calls that are running have ended. A later
 * call opens new ones. A `dispatcher` of your own stays open.
 */
export async function closeKiketApi(): Promise<void> {
  const closing = [...pools.values()];
  pools.clear();
  await Promise.all(closing.map((pool) => pool.close()));
}

/** Reads an answer to its end. Rejects when it breaks, and with a {@link TooLargeError} beyond `limit` bytes. */
export function readAnswer(stream: Readable, limit: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      chunks.push(chunk);
      if (length > limit) stream.destroy(new TooLargeError());
    });
    stream.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)));
    stream.on('error', reject);
  });
}

export class TooLargeError extends Error {}
