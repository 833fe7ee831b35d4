import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** One address for the current primary, as providers of managed Redis offer it. */
export class TcpSwitch {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #port: number;

  /** @param port the first target of connections. */
  static async to(port: number): Promise<TcpSwitch> {
    const address = new TcpSwitch(port);
    await once(address.#server.listen(0, '127.0.0.1'), 'listening');
    return address;
  }

  private constructor(port: number) {
    this.#port = port;
    this.#server = createServer((incoming) => {
      const outgoing = connect(this.#port, '127.0.0.1');
      for (const [socket, other] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        this.#sockets.add(socket);
        socket
          .on('error', () => {})
          .on('close', () => {
            this.#sockets.delete(socket);
            other.destroy();
          });
        socket.pipe(other);
      }
    });
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Ends all connections; new ones go to `port`. */
  to(port: number): void {
    this.#port = port;
    for (const socket of this.#sockets) socket.destroy();
  }

  async close(): Promise<void> {
    const closed = once(this.#server.close(), 'close');
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
