import type { ErrorRequestHandler, Express, RequestHandler } from 'express';
import { InputError } from '../local-kiket';
import type { ErrorBody } from './messages';
import type { Guard } from './guard';
import { addPage } from './page-files';
import { readBody, readQuery } from './requests';
import { WaitFailed, type ControlContext, type Route } from './route';
import { ROUTES } from './routes/index';
import type { EventStreams } from './stream';

/** The parts of one control server. */
export interface ControlAppParts {
  readonly guard: Guard;
  readonly token: string;
  readonly context: ControlContext;
  readonly streams: EventStreams;
  /** The folder with the files of the page. */
  readonly assetsDirectory: string;
}

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'Content-Security-Policy': CONTENT_SECURITY_POLICY,
  'X-Content-Type-Options': 'nosniff',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-store',
};

const LARGEST_BODY = '1mb';

const WRONG_TOKEN = 'This is not the token of this run. Open the address that the terminal shows.\n';

/** Creates the application. A request must not come from another page and must have the token; then a route runs. */
export function createControlApp(
  express: typeof import('express'),
  { guard, token, context, streams, assetsDirectory }: ControlAppParts,
): Express {
  const app = express();
  app.disable('etag').disable('x-powered-by').enable('case sensitive routing').enable('strict routing');
  app.set('query parser', (query: string | null) => Object.fromEntries(new URLSearchParams(query ?? '')));

  app.use(setHeaders, refuseOthers);
  app.get('/ready', (_req, res) => void res.status(context.kiket.target.isUp === true ? 200 : 503).json({}));
  app.get('/', exchangeToken);
  addPage(app, assetsDirectory);
  app.use('/api', requireToken, requireJson, express.text({ type: () => true, limit: LARGEST_BODY }));
  app.get('/api/stream', (req, res) => {
    if (req.method === 'HEAD') res.type('text/event-stream').end();
    else streams.open(res, req.get('Last-Event-ID'));
  });
  for (const route of ROUTES) app[route.method](route.path, handlerOf(route, context));
  app.use(notFound, sendError);
  return app;

  function refuseOthers(...[req, res, next]: Parameters<RequestHandler>): void {
    if (guard.isOwn(req)) next();
    else res.status(403).end();
  }

  /** The address of the page has the token once; then it is in the cookie, and neither in the history nor in a link. */
  function exchangeToken(...[req, res, next]: Parameters<RequestHandler>): void {
    const given = req.query['token'];
    if (given === undefined) return next();
    if (!guard.isToken(given as string) && !guard.takesTicket(given as string)) {
      return void res.status(401).type('text/plain').send(WRONG_TOKEN);
    }
    res.set('Set-Cookie', `${guard.cookieName}=${token}; HttpOnly; SameSite=Strict; Path=/`);
    res.status(303).set('Location', '/').end();
  }

  function requireToken(...[req, _res, next]: Parameters<RequestHandler>): void {
    next(guard.hasToken(req) ? undefined : new InputError(401, 'open the address that the terminal shows'));
  }
}

const setHeaders: RequestHandler = (_req, res, next) => {
  res.set(HEADERS);
  next();
};

/** A form of another page cannot have this type. */
const requireJson: RequestHandler = (req, _res, next) => {
  const type = req.get('Content-Type')?.split(';', 1)[0]!.trim().toLowerCase();
  const isRead = ['GET', 'HEAD', 'OPTIONS'].includes(req.method);
  next(
    isRead || type === 'application/json' ? undefined : new InputError(415, 'Content-Type must be application/json'),
  );
};

function handlerOf(route: Route, context: ControlContext): RequestHandler {
  return (req, res, next) => {
    const run = async (): Promise<void> => {
      const result = await route.run(
        {
          params: req.params as Record<string, string>,
          query: readQuery(route, req.query),
          body: (route.body === undefined ? undefined : readBody(route.body, req.body)) as never,
          req,
          locate: (path) => void res.set('Location', path),
        },
        context,
      );
      res.status(route.status);
      if (route.status === 204) res.end();
      else res.json(result);
    };
    run().catch(next);
  };
}

const notFound: RequestHandler = () => {
  throw new InputError(404, 'there is no such path');
};

const CODES: Readonly<Record<number, string>> = {
  400: 'invalid_request',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'not_found',
  408: 'timeout',
  409: 'conflict',
  413: 'too_large',
  415: 'unsupported_media_type',
  503: 'unavailable',
};

const sendError: ErrorRequestHandler = (error: Error & { status?: number; type?: string }, _req, res, next) => {
  // Express ends the connection.
  if (res.headersSent) return next(error);
  const status = error.status !== undefined && CODES[error.status] !== undefined ? error.status : 500;
  const message = status === 500 ? `the local Kiket itself has failed: ${error.message}` : error.message;
  const body: ErrorBody = {
    error: { code: CODES[status] ?? 'internal', message },
    ...(error instanceof WaitFailed && { delivery: error.delivery }),
  };
  res.status(status).json(body);
};
