import type { IncomingHttpHeaders } from 'node:http';
import { PayloadError } from './errors';

/** What something outside the signature says of a delivery. */
export interface UnsignedClaim {
  readonly source: 'header' | 'path' | 'query';
  readonly value: string;
}

interface RoutedExchange {
  readonly req: { readonly params?: Record<string, unknown>; readonly url?: string | undefined };
  readonly headers: IncomingHttpHeaders;
}

/** What header, path and query say of event and version, in this order of precedence. An empty one says nothing. */
export function readClaims({ req, headers }: RoutedExchange): Record<'event' | 'version', UnsignedClaim[]> {
  const { params, url = '' } = req;
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
  if (isText(header)) claims.push({ source: 'header', value: header });
  if (isText(path)) claims.push({ source: 'path', value: path });
  for (const value of query) if (isText(value)) claims.push({ source: 'query', value });
  return claims;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
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
    'The request contradicts the signed body. What stands around the body is not signed, so the delivery is refused.',
    {
      details: claims.map(({ source }) => ({
        reason: `The ${source} names another event or version than the signed body`,
      })),
    },
  );
}
