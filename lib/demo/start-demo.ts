import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { closeKiketApi } from '../api/index';
import { createDemoExtension } from './extension';

/** The extension of the demo, on a port of this machine. */
export interface Demo {
  /** Where it receives deliveries. */
  readonly url: string;
  /** Tells it where to call back. Until then it responds to nothing. */
  readonly connect: (apiUrl: string) => void;
  readonly close: () => Promise<void>;
}

/** Starts the extension of the demo on a free port. */
export async function startDemo(secret: string): Promise<Demo> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/kiket`,
    connect: (apiUrl) => void server.on('request', createDemoExtension(secret, apiUrl)),
    async close() {
      server.close();
      server.closeAllConnections();
      await closeKiketApi();
    },
  };
}
