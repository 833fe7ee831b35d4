import { once } from 'node:events';
import { createServer } from 'node:net';
import { notRunError } from './exit';

/** How many ports after the wanted one are tried. */
const MOST_TRIED = 50;

/** Errors of a machine without the address, such as one without IPv6. */
const NO_ADDRESS = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];

/**
 * Returns the first port from the wanted one on that is free on all addresses; 0 for 0, which stands for any.
 *
 * @param addresses a first one that must exist, and others that may not.
 * @throws {CliError} when none is free, or the first address cannot be used.
 */
export async function freePort(wanted: number, addresses: readonly [string, ...string[]]): Promise<number> {
  const last = Math.min(wanted + MOST_TRIED, 65_535);
  for (let port = wanted; port <= last; port++) {
    if (port === 0 || (await isFree(port, addresses))) return port;
  }
  throw notRunError(`the ports from ${wanted} to ${last} are taken`);
}

async function isFree(port: number, addresses: readonly string[]): Promise<boolean> {
  for (const [i, host] of addresses.entries()) {
    const code = await tryToListen(port, host);
    if (code === 'EADDRINUSE') return false;
    if (code === undefined || (i > 0 && NO_ADDRESS.includes(code))) continue;
    throw notRunError(`port ${port} of ${host} cannot be used: ${code}`);
  }
  return true;
}

/** Returns the code of the error; `undefined` when it is free. */
async function tryToListen(port: number, host: string): Promise<string | undefined> {
  const server = createServer();
  try {
    await once(server.listen({ port, host, ipv6Only: host === '::1' }), 'listening');
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code;
  } finally {
    if (server.listening) await new Promise((resolve) => server.close(resolve));
  }
}
