import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { requireNamedProjects, requireScope, type Caller } from './access';
import { json, Refusal, type Answer } from './answer';
import type { Credentials } from './credentials';
import type { FaultBoard } from './fault-board';
import { strike } from './fault-effects';
import { Outgoing } from './outgoing';
import { rateLimitExceeded, type RateLimit, type RateWindow } from './rate-limit';
import { readBody, type RequestBody } from './request-body';
import { logged, type FakeKiketRequest, type LoggedRequest } from './request-log';
import { isExtensionPath, segmentsOf, type Router } from './router';

export interface ServiceParts {
  readonly credentials: Credentials;
  readonly rateLimit: RateLimit;
  readonly faults: FaultBoard;
  readonly router: Router;
  readonly requests: FakeKiketRequest[];
  readonly now: () => number;
}

/** A request from its arrival to its answer: logged, read, counted, struck by a fault or carried out. */
export function createService({
  credentials,
  rateLimit,
  faults,
  router,
  requests,
  now,
}: ServiceParts): RequestListener {
  return function service(req, res) {
    const entry = logged(req);
    requests.push(entry);
    serve(req, res, entry).catch((error: unknown) => fail(res, entry, error));
  };

  async function serve(req: IncomingMessage, res: ServerResponse, entry: LoggedRequest): Promise<void> {
    const body = await readBody(req);
    if (body === undefined) return;
    entry.body = body.value;
    const caller = credentials.recognise(req.headers, isExtensionPath(segmentsOf(entry.path)));
    const window = caller instanceof Refusal ? rateLimit.untouched() : rateLimit.take(caller.countedAs);
    const { latencyMs, fault } = faults.strike(entry.method, entry.path);
    if (latencyMs > 0 && !(await staysFor(latencyMs, res))) return;

    const outgoing = new Outgoing(res, entry, window);
    const carryOut = (): Answer => answerTo(entry, body, caller, window);
    if (fault === undefined) outgoing.send(carryOut());
    else strike(fault, { outgoing, carryOut, now });
  }

  function answerTo(entry: FakeKiketRequest, body: RequestBody, caller: Caller | Refusal, window: RateWindow): Answer {
    try {
      if (caller instanceof Refusal) throw caller;
      if (window.isExceeded) return rateLimitExceeded(String(window.resetSeconds), window.resetSeconds);
      const { route, parameters } = router.find(entry.method, segmentsOf(entry.path));
      if (body.refusal !== undefined) throw body.refusal;
      if (route.scope !== undefined) requireScope(caller, route.scope);
      requireNamedProjects(caller, entry.query, body.value);
      return route.handle({ query: entry.query, body: body.value, caller, window }, ...parameters);
    } catch (error) {
      if (error instanceof Refusal) return error.answer;
      return ownFailure(error);
    }
  }
}

/** Whether the client is still there after the time. */
function staysFor(ms: number, res: ServerResponse): Promise<boolean> {
  return new Promise((resolve) => {
    if (res.socket === null || res.socket.destroyed) return resolve(false);
    const settle = (stays: boolean): void => {
      clearTimeout(timer);
      res.off('close', leave);
      resolve(stays);
    };
    const leave = (): void => settle(false);
    const timer = setTimeout(settle, ms, true);
    res.on('close', leave);
  });
}

function ownFailure(error: unknown): Answer {
  return json(500, { error: `The fake itself has failed: ${String(error)}` });
}

/** For what fails outside of a route, such as the clock that was given. */
function fail(res: ServerResponse, entry: LoggedRequest, error: unknown): void {
  if (res.headersSent) return void res.destroy();
  const { status, headers, text } = ownFailure(error);
  entry.status = status;
  res.writeHead(status, headers).end(text);
}
