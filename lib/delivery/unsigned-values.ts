import type { IncomingHttpHeaders } from 'node:http';
import { nonEmptyString } from '../guards';
import { PayloadError } from '../errors';
import { quoted } from '../text';

/** What something outside the signature says of a delivery. */
export interface UnsignedClaim {
  readonly source: 'header' | 'path' | 'query';
  readonly value: string;
}

interface Claim {
  readonly source: UnsignedClaim['source'] | 'signed body';
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
    const text = nonEmptyString(value);
    if (text !== undefined) claims.push({ source, value: text });
  }
}

/** The signed value, else the first claim; all others must say the same. */
export function agree(
  signed: string | null | undefined,
  claims: readonly UnsignedClaim[],
  normalize: (value: string) => string = (value) => value,
): string | undefined | PayloadError {
  const first: Claim | undefined = signed ? { source: 'signed body', value: signed } : claims[0];
  if (first === undefined) return undefined;
  const agreed = normalize(first.value);
  const conflicts = claims.filter(({ value }) => normalize(value) !== agreed);
  return conflicts.length === 0 ? agreed : conflict(first, conflicts);
}

function conflict(first: Claim, claims: readonly UnsignedClaim[]): PayloadError {
  const agreed = `the ${first.source} names ${quoted(first.value)}`;
  return PayloadError.of(
    'delivery.conflict',
    `Header, path and query are not signed, and must agree with the signed body and with one another; ${agreed}.`,
    { details: claims.map(({ source, value }) => ({ reason: `The ${source} names ${quoted(value)}, but ${agreed}` })) },
  );
}
