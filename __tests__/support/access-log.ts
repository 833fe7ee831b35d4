import { inspect } from 'node:util';
import type { KiketMiddleware, KiketRequestState } from 'kiket-express';

/** An access log that reads every member of `req.kiket` after the response. */
export interface AccessLog {
  readonly middleware: KiketMiddleware;
  /** The values read for each request, in order. A promise rejects when reading threw. */
  readonly entries: Promise<string>[];
}

export function accessLog(): AccessLog {
  const entries: Promise<string>[] = [];
  const middleware: KiketMiddleware = (req, res, next) => {
    const finished = new Promise((resolve) => res.on('finish', resolve));
    const entry = finished.then(() => readAll((req as { kiket?: KiketRequestState }).kiket));
    // A test awaits it after the response.
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

/** Includes the accessors of the object's class. */
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
