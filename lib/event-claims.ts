import type { IncomingHttpHeaders } from 'node:http';
import { PayloadError } from './errors';
import { textOf } from './text';

/** What something outside the signature says of a delivery. */
export interface UnsignedClaim {
  readonly source: 'header' | 'path' | 'query';
  readonly value: string;
}

interface RoutedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly params?: Record<string, unknown>;
  readonly url?: string | undefined;
}

/** What header, path and query say of event and version, in this order of precedence. An empty one says nothing. */
export function readClaims(req: RoutedRequest): Record<'event' | 'version', UnsignedClaim[]> {
  const { headers, params, url = '' } = req;
  // Express 5 parses the whole query whenever it is looked at, and the application may have switched that off.
  const start = url.indexOf('?');
  const query = start === -1 ? undefined : new URLSearchParams(url.slice(start));
  return {
    event: claimsOf(headers['x-kiket-event'], params?.['event'], query?.getAll('event')),
    version: claimsOf(headers['x-kiket-event-version'], params?.['version'], query?.getAll('version')),
  };
}

function claimsOf(header: unknown, path: unknown, query: readonly string[] = []): UnsignedClaim[] {
  const claims: UnsignedClaim[] = [];
  add('header', header);
  add('path', path);
  for (const value of query) add('query', value);
  return claims;

  function add(source: UnsignedClaim['source'], value: unknown): void {
    const text = textOf(value);
    if (text !== undefined) claims.push({ source, value: text });
  }
}

/** The signed value, else the first claim; all others must say the same. */
export function agree(
  signed: string | null | undefined,
  claims: readonly UnsignedClaim[],
  normalize: (value: string) => string = (value) => value,
): string | undefined | PayloadError {
  const first = signed || claims[0]?.value;
  if (first === undefined) return undefined;
  const agreed = normalize(first);
  const conflicts = claims.filter(({ value }) => normalize(value) !== agreed);
  return conflicts.length === 0 ? agreed : conflict(conflicts);
}

function conflict(claims: readonly UnsignedClaim[]): PayloadError {
  return PayloadError.of(
    'delivery.conflict',
    'Header, path and query must agree with the signed body, and with one another: they are not signed.',
    {
      details: claims.map(({ source }) => ({
        reason: `The ${source} names another event or version`,
      })),
    },
  );
}
