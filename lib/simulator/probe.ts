import { connect } from 'node:net';

/** In milliseconds. */
const PROBE_INTERVAL_MS = 2000;
const PROBE_TIMEOUT_MS = 1000;

/** An observer of the receiver. */
export interface Watched {
  readonly target: { readonly url: string };
  /** @param isUp true when the receiver accepts connections. */
  setTarget(isUp: boolean): void;
}

/**
 * Connects to the receiver every two seconds, and reports whether it accepts. No request is sent. It does not keep the process alive.
 *
 * @returns a function that ends it.
 */
export function watchReceiver(watched: Watched): () => void {
  let isEnded = false;
  let timer: NodeJS.Timeout | undefined;
  async function probe(): Promise<void> {
    const isUp = await acceptsConnections(watched.target.url);
    if (isEnded) return;
    watched.setTarget(isUp);
    timer = setTimeout(() => void probe(), PROBE_INTERVAL_MS).unref();
  }
  void probe();
  return () => {
    isEnded = true;
    clearTimeout(timer);
  };
}

/** Resolves to true when the server of a URL accepts a connection within a second. Sends nothing. */
export function acceptsConnections(url: string): Promise<boolean> {
  const { hostname, port, protocol } = new URL(url);
  const number = port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port);
  return new Promise((resolve) => {
    // IPv6 addresses have brackets in URLs only.
    const socket = connect({ host: hostname.replace(/^\[(.+)\]$/, '$1'), port: number, timeout: PROBE_TIMEOUT_MS });
    const end = (isUp: boolean): void => {
      socket.destroy();
      resolve(isUp);
    };
    socket.unref();
    socket.once('connect', () => end(true));
    socket.once('timeout', () => end(false));
    socket.once('error', () => end(false));
  });
}
