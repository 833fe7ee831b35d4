import type { KiketRedisStoreOptions } from 'kiket-express/redis';

export interface Connected {
  readonly sendCommand: KiketRedisStoreOptions['sendCommand'];
  close(): Promise<unknown>;
}

/**
 * The clients that the store is made for, with the options that they come with: commands are queued while there is no
 * connection. Each is loaded only where it is used, as all of them take a second.
 */
const CONNECTS = {
  async 'redis 5'(url: string) {
    const { createClient } = await import('redis5');
    const client = createClient({ url });
    await client.on('error', ignore).connect();
    return { sendCommand: (command: readonly string[]) => client.sendCommand(command), close: () => client.close() };
  },
  async 'redis 6'(url: string) {
    const { createClient } = await import('redis');
    const client = createClient({ url });
    await client.on('error', ignore).connect();
    return { sendCommand: (command: readonly string[]) => client.sendCommand(command), close: () => client.close() };
  },
  async 'ioredis 5'(url: string) {
    const { Redis } = await import('ioredis');
    const client = new Redis(url).on('error', ignore);
    return { sendCommand: (command) => client.call(...command), close: () => client.quit() };
  },
  async 'ioredis 6'(url: string) {
    const { Redis } = await import('ioredis6');
    const client = new Redis(url).on('error', ignore);
    return { sendCommand: (command) => client.call(...command), close: () => client.quit() };
  },
} satisfies Record<string, (url: string) => Promise<Connected>>;

export type ClientName = keyof typeof CONNECTS;
export const CLIENTS = Object.keys(CONNECTS) as ClientName[];

export function connect(client: ClientName, url: string): Promise<Connected> {
  return CONNECTS[client](url);
}

/** What is wrong with the connection is seen by the calls. */
function ignore(): void {}
