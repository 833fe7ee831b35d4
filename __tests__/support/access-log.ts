import { inspect } from 'node:util';
import type { KiketMiddleware, KiketRequestState } from 'kiket-express';

/** An access log that reads everything there is of `req.kiket` once the response is out. */
export interface AccessLog {
  readonly middleware: KiketMiddleware;
  /** What it has read of each request, in order; rejects where the reading threw. */
  readonly entries: Promise<string>[];
}

export function accessLog(): AccessLog {
  const entries: Promise<string>[] = [];
  const middleware: KiketMiddleware = (req, res, next) => {
    const finished = new Promise((resolve) => res.on('finish', resolve));
    const entry = finished.then(() => readAll((req as { kiket?: KiketRequestState }).kiket));
    // A test looks at it later than at the response.
    entry.catch(() => undefined);
    entries.push(entry);
    next();
  };
  return { middleware, entries };
}

function readAll(state: KiketRequestState | undefined): string {
  if (state === undefined) return '';
  const fields = fieldsOf(state).map((name) => inspect((state as Record<string, unknown>)[name]));
  const whole = [JSON.stringify(state), inspect(state, { depth: Infinity }), inspect({ ...state })];
  return [...fields, ...whole].join('\n');
}

/** Also those that the class of the object offers. */
function fieldsOf(object: object): string[] {
  const names = new Set(Object.keys(object));
  for (let at = object; at !== Object.prototype; at = Object.getPrototypeOf(at) as object) {
    const accessors = Object.entries(Object.getOwnPropertyDescriptors(at)).filter(
      ([, descriptor]) => 'get' in descriptor,
    );
    for (const [name] of accessors) names.add(name);
  }
  return [...names];
}
