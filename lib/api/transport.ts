import type { Readable } from 'node:stream';
import type { Pool } from 'undici';
import type { ApiHeaders } from './rate-limit';

/** Methods of Kiket's API. */
export type KiketApiMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** The members of undici's Dispatcher that are used. Structural, so that any version of undici fits. */
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

/** Sockets per origin. Further calls are queued. */
const CONNECTIONS = 64;

const pools = new Map<string, Pool>();

/** Returns the pool of an origin, which all clients of the process share. */
export function poolOf(origin: string): ApiDispatcher {
  let pool = pools.get(origin);
  if (pool === undefined) {
    // Loaded by the first call: it takes 90 ms, and not every service calls the API.
    // eslint-disable-next-line @typescript-eslint/no-require-imports
    const undici = require('undici') as typeof import('undici');
    pool = new undici.Pool(origin, { connections: CONNECTIONS });
    pools.set(origin, pool);
  }
  return pool;
}

/**
 * Closes the connections to Kiket's API, once running calls have ended. A later call opens new ones. A `dispatcher` of your own
 * stays open.
 */
export async function closeKiketApi(): Promise<void> {
  const closing = [...pools.values()];
  pools.clear();
  await Promise.all(closing.map((pool) => pool.close()));
}

/** Reads a body to its end. Rejects when the stream fails, and with a {@link TooLargeError} beyond `limit` bytes. */
export function readBody(stream: Readable, limit: number): Promise<Buffer> {
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
