import type { Caller } from './access';
import { Refusal, type Answer } from './answer';
import type { Query } from './parameters';
import type { RateWindow } from './rate-limit';

export interface Call {
  readonly query: Query;
  readonly body: unknown;
  readonly caller: Caller;
  readonly window: RateWindow;
}

export interface Route {
  readonly method: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** A segment with a colon takes any text but an empty one, and hands it, decoded, to `handle`. */
  readonly path: string;
  /** What the caller needs beside the project. */
  readonly scope?: string;
  handle(call: Call, ...parameters: string[]): Answer;
}

/** `undefined` stands for a segment whose escapes are malformed. */
export type Segments = readonly (string | undefined)[];

/** Decoded only after the split: an escaped slash belongs to its segment. */
export function segmentsOf(path: string): Segments {
  return path.split('/').slice(1).map(decode);
}

function decode(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

export function isExtensionPath(segments: Segments): boolean {
  return segments.length > 3 && ['api', 'v1', 'ext'].every((name, index) => segments[index] === name);
}

export class Router {
  readonly #routes: readonly { readonly route: Route; readonly pattern: readonly string[] }[];

  constructor(routes: readonly Route[]) {
    this.#routes = routes.map((route) => ({ route, pattern: route.path.split('/').slice(1) }));
  }

  /** @throws {Refusal} 400 for malformed escapes, 404 for an unknown path, 405 for another method. */
  find(method: string, segments: Segments): { route: Route; parameters: string[] } {
    if (!isWellFormed(segments)) throw new Refusal(400, 'Malformed path');
    const found = this.#routes.filter(({ pattern }) => matches(pattern, segments));
    if (found.length === 0) throw new Refusal(404, 'Not found');
    const chosen = found.find(({ route }) => route.method === method);
    if (chosen === undefined) {
      const Allow = found.map(({ route }) => route.method).join(', ');
      throw new Refusal(405, 'Method not allowed', { Allow });
    }
    const { route, pattern } = chosen;
    return { route, parameters: segments.filter((_segment, index) => pattern[index]!.startsWith(':')) };
  }
}

function isWellFormed(segments: Segments): segments is readonly string[] {
  return !segments.includes(undefined);
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((part, index) => (part.startsWith(':') ? segments[index] !== '' : segments[index] === part))
  );
}
