import type { IncomingHttpHeaders } from 'node:http';
import { nonEmptyString } from '../guards';
import { PayloadError } from '../errors';
import { quoted } from '../text';

/** A value that stands outside the signature. */
export interface UnsignedValue {
  readonly source: 'header' | 'path' | 'query';
  readonly value: string;
}

interface NamedValue {
  readonly source: UnsignedValue['source'] | 'signed body';
  readonly value: string;
}

/** The part of Express's request that is read here. */
export interface RoutedRequest {
  readonly headers: IncomingHttpHeaders;
  readonly params?: Record<string, unknown>;
  readonly url?: string | undefined;
}

/** Returns the event and the version in header, path and query, in this order of precedence. Empty values are left out. */
export function readUnsignedValues(req: RoutedRequest): Record<'event' | 'version', UnsignedValue[]> {
  const { headers, params, url = '' } = req;
  // Express 5 parses the whole query on each access, and the application may have turned its parser off.
  const start = url.indexOf('?');
  const query = start === -1 ? undefined : new URLSearchParams(url.slice(start));
  return {
    event: valuesOf(headers['x-kiket-event'], params?.['event'], query?.getAll('event')),
    version: valuesOf(headers['x-kiket-event-version'], params?.['version'], query?.getAll('version')),
  };
}

function valuesOf(header: unknown, path: unknown, query: readonly string[] = []): UnsignedValue[] {
  const values: UnsignedValue[] = [];
  add('header', header);
  add('path', path);
  for (const value of query) add('query', value);
  return values;

  function add(source: UnsignedValue['source'], value: unknown): void {
    const text = nonEmptyString(value);
    if (text !== undefined) values.push({ source, value: text });
  }
}

/**
 * Returns the signed value, or the first unsigned one when there is none; `delivery.conflict` when an unsigned value differs
 * from it. Values are compared in the form that `normalize` gives them.
 */
export function agreedValue(
  signed: string | null | undefined,
  unsigned: readonly UnsignedValue[],
  normalize: (value: string) => string = (value) => value,
): string | undefined | PayloadError {
  const first: NamedValue | undefined = signed ? { source: 'signed body', value: signed } : unsigned[0];
  if (first === undefined) return undefined;
  const agreed = normalize(first.value);
  const conflicts = unsigned.filter(({ value }) => normalize(value) !== agreed);
  return conflicts.length === 0 ? agreed : conflictError(first, conflicts);
}

function conflictError(first: NamedValue, conflicts: readonly UnsignedValue[]): PayloadError {
  const agreed = `the ${first.source} names ${quoted(first.value)}`;
  return PayloadError.of(
    'delivery.conflict',
    `Header, path and query are not signed, and must agree with the signed body and with one another; ${agreed}.`,
    {
      details: conflicts.map(({ source, value }) => ({
        reason: `The ${source} names ${quoted(value)}, but ${agreed}`,
      })),
    },
  );
}
