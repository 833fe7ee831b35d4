import type { Socket } from 'node:net';
import type { Attributes } from '@opentelemetry/api';
import type { KiketRequest } from '../exchange/exchange';
import { defined } from './defined';

/** What of Express's request is used; without Express it has less. */
export interface RoutedRequest extends KiketRequest {
  readonly originalUrl?: string;
  readonly baseUrl?: string;
  readonly route?: { readonly path?: unknown };
  readonly protocol?: string;
}

/** Methods that OpenTelemetry's conventions know. */
const METHODS: ReadonlySet<string> = new Set('GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE'.split(' '));

/** Path parameters that kiketParse reads. Any other may be a tenant's token. */
const SHOWN_PARAMETERS: ReadonlySet<string> = new Set(['event', 'version']);

/** By OpenTelemetry's conventions for HTTP servers. */
export function requestAttributes(req: RoutedRequest): Attributes {
  const { method = '', protocol = (req.socket as Socket & { encrypted?: boolean }).encrypted ? 'https' : 'http' } = req;
  const isKnown = METHODS.has(method);
  return defined({
    'http.request.method': isKnown ? method : '_OTHER',
    'http.request.method_original': isKnown ? undefined : method,
    'http.route': routeOf(req),
    'url.path': pathOf(req),
    'url.scheme': protocol,
  });
}

/** The name of a span of this request. */
export function nameOf(attributes: Attributes): string {
  const method = String(attributes['http.request.method']);
  const route = attributes['http.route'];
  return [method === '_OTHER' ? 'HTTP' : method, ...(route === undefined ? [] : [route])].join(' ');
}

/**
 * The path as it was sent, but for the values of parameters; undefined where these are not all known: before the routing, and
 * behind a mount, which may have parameters of its own.
 */
function pathOf(req: RoutedRequest): string | undefined {
  const path = sentPath(req);
  if (req.route === undefined || req.baseUrl || !path.startsWith('/')) return undefined;
  const hidden = Object.entries(req.params ?? {})
    .filter(([name]) => !SHOWN_PARAMETERS.has(name))
    .flatMap(([, value]) => [value].flat())
    // A wildcard takes several segments: a list in Express 5, one text in Express 4.
    .flatMap((value) => (typeof value === 'string' ? value.split('/') : []))
    .filter((value) => value !== '');
  if (hidden.length === 0) return path;
  const isHidden = (segment: string): boolean => hidden.some((value) => decoded(segment).includes(value));
  return path
    .split('/')
    .map((segment) => (isHidden(segment) ? 'REDACTED' : segment))
    .join('/');
}

function sentPath({ url = '', originalUrl = url }: RoutedRequest): string {
  return originalUrl.split('?', 1)[0]!;
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/**
 * The path of the route as it was written. Of a list of paths Express does not tell which it has matched, and of where a
 * router is mounted only what the caller has sent.
 */
function routeOf({ baseUrl, route }: RoutedRequest): string | undefined {
  return typeof route?.path === 'string' && !baseUrl ? route.path : undefined;
}

/**
 * The route that has been found since, where it must be the whole path: `baseUrl` may be that of an error handler, outside
 * of the router that the route is in.
 */
export function routeSince(req: RoutedRequest): string | undefined {
  const route = routeOf(req);
  return route === sentPath(req) ? route : undefined;
}
