import type { OutgoingHttpHeaders } from 'node:http';

/** The headers in the arguments of `writeHead` after the status, by lower-case names: an object, a flat list or pairs. */
export function headersOf(args: readonly unknown[]): OutgoingHttpHeaders {
  const given = args.find((arg) => typeof arg === 'object' && arg !== null) ?? {};
  const headers: OutgoingHttpHeaders = {};
  for (const [name, value] of Array.isArray(given) ? pairsOf(given) : Object.entries(given)) {
    headers[String(name).toLowerCase()] = value as OutgoingHttpHeaders[string];
  }
  return headers;
}

function pairsOf(list: readonly unknown[]): (readonly [unknown, unknown])[] {
  if (Array.isArray(list[0])) return list as [unknown, unknown][];
  return list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1]] as const] : []));
}
