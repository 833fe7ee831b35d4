import type { IncomingMessage } from 'node:http';

/** A request that has reached the fake, refused or not. */
export interface FakeKiketRequest {
  readonly method: string;
  /** As it was written, with the query. */
  readonly target: string;
  /** As it was written, without the query. */
  readonly path: string;
  /** Decoded; of a name that is there twice, the last. */
  readonly query: Readonly<Record<string, string>>;
  /** By their names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed JSON; `undefined` until it has been read, and where there is none. */
  readonly body: unknown;
  /** What was answered; `undefined` until then, and where nothing was. */
  readonly status: number | undefined;
}

/** An entry of the log while it is being filled. */
export type LoggedRequest = { -readonly [K in keyof FakeKiketRequest]: FakeKiketRequest[K] };

export function logged({ method = '', url: target = '', headers }: IncomingMessage): LoggedRequest {
  const start = target.indexOf('?');
  const path = start === -1 ? target : target.slice(0, start);
  const query = Object.fromEntries(new URLSearchParams(start === -1 ? '' : target.slice(start)));
  const sent = Object.entries(headers).map(([name, value]) => [name, String(value)]);
  return {
    method,
    target,
    path,
    query,
    headers: Object.fromEntries(sent) as Record<string, string>,
    body: undefined,
    status: undefined,
  };
}
