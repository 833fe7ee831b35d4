import { randomUUID } from 'node:crypto';
import { STATUS_CODES, type IncomingMessage } from 'node:http';
import type { ErrorRequestHandler, Express, RequestHandler, Response } from 'express';
import { assertNamedProjects, type Callers } from './callers';
import type { FakeKiketRequest } from './fake-kiket';
import type { ActiveFaults, FinalFault } from './faults';
import type { FakeKiketObserver } from './observer';
import { RequestError } from './parameters';
import type { RateLimiter } from './rate-limiter';
import { addRoutes, type Handler, type Stores } from './routes';

/** The parts of one fake. */
interface FakeAppParts {
  readonly callers: Callers;
  readonly rateLimiter: RateLimiter;
  readonly faults: ActiveFaults;
  readonly stores: Stores;
  /** Called with an entry for each request that arrives. */
  readonly onArrival: (request: FakeKiketRequest) => void;
  readonly observer: FakeKiketObserver;
  readonly now: () => number;
}

/** Creates the application. A request is logged, counted and read. Then a fault hits it, or a route carries it out. */
export function createFakeApp(
  express: typeof import('express'),
  { callers, rateLimiter, faults, stores, onArrival, observer, now }: FakeAppParts,
): Express {
  const app = express();
  app.disable('etag').disable('x-powered-by').enable('case sensitive routing');
  app.set('query parser', (query: string | null) => Object.fromEntries(new URLSearchParams(query ?? '')));
  const router = express.Router({ caseSensitive: true, strict: true });
  addRoutes(router, stores, observer);

  app.use(log, identify, express.json({ limit: '1mb', strict: false, type: hasBody }), logBody, hitByFault, admit);
  app.use('/api/v1', router);
  app.use(notFound, sendError);
  return app;

  function log(...[req, res, next]: Parameters<Handler>): void {
    const headers = Object.entries(req.headers).map(([name, value]) => [name, String(value)]);
    const entry = {
      method: req.method,
      target: req.originalUrl,
      path: req.path,
      query: req.query,
      headers: Object.fromEntries(headers) as Record<string, string>,
      body: undefined,
      status: undefined as number | undefined,
    };
    onArrival(entry);
    res.locals.entry = entry;
    // In time for a client that looks at the log as soon as it has the response; 'finish' comes later.
    res.on('prefinish', () => (entry.status = res.statusCode));
    res.on('close', () => observer.onRequest(entry));
    next();
  }

  function identify(...[req, res, next]: Parameters<Handler>): void {
    const identity = callers.identify(req.headers, req.path);
    const isKnown = !(identity instanceof RequestError);
    const window = isKnown ? rateLimiter.count(identity.countedAs) : rateLimiter.untouched();
    Object.assign(res.locals, { identity, window });
    res.set({
      'X-Request-Id': randomUUID(),
      'X-RateLimit-Limit': String(window.limit),
      'X-RateLimit-Remaining': String(window.remaining),
      'X-RateLimit-Reset': String(window.resetSeconds),
    });
    next();
  }

  function hitByFault(...[req, res, next]: Parameters<Handler>): void {
    const { latencyMs, fault } = faults.hit(req.method, req.path);
    const proceed = (): void => (fault === undefined ? next() : apply(fault, res, now));
    if (latencyMs === 0) return proceed();
    const timer = setTimeout(proceed, latencyMs);
    res.on('close', () => clearTimeout(timer));
  }
}

/** Express 4 and 5 leave different values in `req.body` where there is no body. */
const logBody: Handler = (req, res, next) => {
  if (!hasBody(req)) req.body = undefined;
  res.locals.entry.body = req.body;
  next();
};

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

/** Ends the request of a caller that is unknown, beyond the rate limit or in a closed project. */
const admit: Handler = (req, res, next) => {
  const { identity, window } = res.locals;
  if (identity instanceof RequestError) throw identity;
  if (window.isExceeded) return sendRateLimitExceeded(res, String(window.resetSeconds), window.resetSeconds);
  assertNamedProjects(identity, req.query, req.body);
  res.locals.caller = identity;
  next();
};

const notFound: RequestHandler = () => {
  throw new RequestError(404, 'Not found');
};

const sendError: ErrorRequestHandler = (error: Error & { status?: number; type?: string }, _req, res, _next) => {
  // The client has left: nobody receives a response.
  if (error.type === 'request.aborted') return;
  const { status = 500, message } = error;
  res.status(status).json({ error: status === 500 ? `The fake itself has failed: ${String(error)}` : message });
};

/** Sends the response of a fault. */
function apply(fault: FinalFault, res: Response, now: () => number): void {
  if (fault.kind === 'rate-limit') {
    const { retryAfter } = fault;
    const seconds = typeof retryAfter === 'string' ? secondsUntil(retryAfter, now()) : retryAfter;
    sendRateLimitExceeded(res, retryAfter === undefined ? undefined : String(retryAfter), seconds);
  }
  if (fault.kind === 'status') {
    const { status, body = { error: STATUS_CODES[status] ?? 'Failed' }, headers = {} } = fault;
    const isString = typeof body === 'string';
    const { contentType = isString ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8' } = fault;
    res.status(status).setHeader('Content-Type', contentType);
    for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
    // Not send(), which changes the content type.
    res.end(isString ? body : JSON.stringify(body));
  }
}

function sendRateLimitExceeded(res: Response, retryAfter: string | undefined, seconds: number | undefined): void {
  if (retryAfter !== undefined) res.set('Retry-After', retryAfter);
  res.set('X-RateLimit-Remaining', '0');
  res.status(429).json({ error: 'Rate limit exceeded', retry_after: seconds });
}

/** Undefined when `date` is not a date. */
function secondsUntil(date: string, nowMs: number): number | undefined {
  const seconds = Math.ceil((Date.parse(date) - nowMs) / 1000);
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
}
