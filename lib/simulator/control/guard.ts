import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** Which requests may reach the control server: those of its own page, and of scripts that know the token. */
export class Guard {
  /** In lower case, with the port. */
  readonly #hosts: ReadonlySet<string>;
  readonly #token: Buffer;
  /** Digests of the tickets that nobody has used. */
  readonly #tickets = new Set<string>();
  /** Cookies do not know ports, so the name does. */
  readonly cookieName: string;

  /** @param hosts names with or without a port; without, that of the server. */
  constructor(hosts: readonly string[], port: number, token: string) {
    this.#hosts = new Set(hosts.map((host) => withoutDefaultPort(hasPort(host) ? host : `${host}:${port}`)));
    this.#token = digestOf(token);
    this.cookieName = `kiket_${port}`;
  }

  /** True for a request that a page of another origin could not have caused, under whatever name that page was loaded. */
  isOwn({ url = '', headers }: IncomingMessage): boolean {
    const { host, origin } = headers;
    const site = headers['sec-fetch-site'];
    return (
      // The absolute form of a target has a host of its own.
      url.startsWith('/') &&
      host !== undefined &&
      this.#isHost(host) &&
      (origin === undefined || this.#isHost(/^https?:\/\/(.+)$/.exec(origin)?.[1] ?? '')) &&
      (site === undefined || site === 'same-origin' || site === 'none')
    );
  }

  /** True for a request that has the token, in the cookie or as `Authorization: Bearer`. */
  hasToken({ headers }: IncomingMessage): boolean {
    const bearer = /^Bearer +(\S+)$/i.exec(headers.authorization ?? '')?.[1];
    if (bearer !== undefined) return this.isToken(bearer);
    // Another service on this machine may have set one of the same name, for a path of its own.
    const cookies = (headers.cookie ?? '').split(';').map((each) => each.trim());
    const prefix = `${this.cookieName}=`;
    return cookies.some((each) => each.startsWith(prefix) && this.isToken(each.slice(prefix.length)));
  }

  /** Compares in constant time. */
  isToken(text: string): boolean {
    return timingSafeEqual(digestOf(text), this.#token);
  }

  /** Returns a text that stands for the token once: programs that open a page show its address to all users of the machine. */
  issueTicket(): string {
    const ticket = randomBytes(TICKET_BYTES).toString('base64url');
    this.#tickets.add(digestOf(ticket).toString('hex'));
    return ticket;
  }

  /** True the first time for a ticket. */
  takesTicket(text: string): boolean {
    return this.#tickets.delete(digestOf(text).toString('hex'));
  }

  #isHost(host: string): boolean {
    return this.#hosts.has(withoutDefaultPort(host));
  }
}

/** 128 bits. */
const TICKET_BYTES = 16;

/** True for a client on this machine. */
export function isLoopbackPeer({ socket }: IncomingMessage): boolean {
  return /^(?:::1|(?:::ffff:)?127(?:\.\d+){3})$/.test(socket.remoteAddress ?? '');
}

function hasPort(host: string): boolean {
  return /:\d+$/.test(host) && !/^\[[^\]]*$/.test(host);
}

/** Browsers leave port 80 out. */
function withoutDefaultPort(host: string): string {
  return host.toLowerCase().replace(/:80$/, '');
}

/** Of the same length for each text. */
function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
