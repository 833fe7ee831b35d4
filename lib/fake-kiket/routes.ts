import type { NextFunction, Request, RequestHandler, Response, Router } from 'express';
import type { Caller } from './callers';
import type { ExtensionStore } from './extension-store';
import type { LoggedRequest } from './fake-kiket';
import type { InboundStore } from './inbound-store';
import type { FormRequest, IntakeStore } from './intake-store';
import type { IssueStore } from './issue-store';
import type { MemberStore } from './member-store';
import type { FakeKiketObserver } from './observer';
import { RequestError, type Query } from './parameters';
import type { RateWindow } from './rate-limiter';
import type { RecordStore } from './record-store';
import type { SlaEventStore } from './sla-event-store';

/** The state of all resources. */
export interface Stores {
  readonly records: RecordStore;
  readonly slaEvents: SlaEventStore;
  readonly intake: IntakeStore;
  readonly issues: IssueStore;
  readonly members: MemberStore;
  readonly inbound: InboundStore;
  readonly extensions: ExtensionStore;
}

/** The parameters of all paths; a handler finds those of its own path. */
type Params = Record<'module' | 'table' | 'id' | 'key' | 'extensionId', string>;

/** Set by the middlewares that run before the routes, in this order. */
type Locals = {
  entry: LoggedRequest;
  /** A caller, or the 401 that the request ends with. */
  identity: Caller | RequestError;
  window: RateWindow;
  caller: Caller;
};

export type Handler = RequestHandler<Params, unknown, unknown, Query, Locals>;

interface Call extends Readonly<Pick<Locals, 'caller' | 'window' | 'entry'>> {
  readonly params: Params;
  readonly query: Query;
  readonly body: unknown;
}

/** Adds everything below `/api/v1`. */
export function addRoutes(router: Router, stores: Stores, observer: FakeKiketObserver): void {
  const { records, slaEvents, intake, issues, members, inbound, extensions } = stores;
  router
    .route('/ext/rate_limit')
    .get(json(200, ({ window }) => ({ rate_limit: rateLimitOf(window) })))
    .all(methodNotAllowed);

  router
    .route('/ext/custom_data/:module/:table')
    .get(json(200, ({ params, query }) => ({ data: records.list(params, query) })))
    .post(json(201, ({ params, query, body }) => ({ data: records.create(params, query, body) })))
    .all(methodNotAllowed);
  router
    .route('/ext/custom_data/:module/:table/:id')
    .get(json(200, ({ params, query }) => ({ data: records.find(params, params.id, query) })))
    .patch(json(200, ({ params, query, body }) => ({ data: records.update(params, params.id, query, body) })))
    .delete(json(204, ({ params, query }) => records.delete(params, params.id, query)))
    .all(methodNotAllowed);

  router
    .route('/ext/sla/events')
    .get(json(200, ({ caller, query }) => ({ data: slaEvents.list(caller, query) })))
    .all(methodNotAllowed);

  router
    .route('/ext/intake_forms')
    .get(json(200, ({ caller, query }) => ({ data: intake.list(caller, query) })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key')
    .get(json(200, (call) => ({ data: intake.find(formIn(call)) })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key/stats')
    .get(json(200, (call) => ({ data: intake.stats(formIn(call)) })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key/submissions')
    .get(json(200, (call) => ({ data: intake.listSubmissions(formIn(call)) })))
    .post(json(201, (call) => ({ data: intake.submit(formIn(call)) })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key/submissions/:id')
    .get(json(200, (call) => ({ data: intake.findSubmission(formIn(call), call.params.id) })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key/submissions/:id/approve')
    .post(json(200, (call) => ({ data: intake.decide(formIn(call), call.params.id, 'approved') })))
    .all(methodNotAllowed);
  router
    .route('/ext/intake_forms/:key/submissions/:id/reject')
    .post(json(200, (call) => ({ data: intake.decide(formIn(call), call.params.id, 'rejected') })))
    .all(methodNotAllowed);

  router
    .route('/ext/issues')
    .get(json(200, ({ caller, query }) => issues.list(caller, query)))
    .post(json(201, ({ caller, query, body }) => ({ issue: issues.create(caller, query, body) })))
    .all(methodNotAllowed);
  router
    .route('/ext/issues/:key')
    .get(json(200, ({ caller, params }) => ({ issue: issues.find(caller, params.key) })))
    .patch(json(200, ({ caller, params, body }) => ({ issue: issues.update(caller, params.key, body) })))
    .all(methodNotAllowed);
  router
    .route('/ext/issues/:key/comments')
    .get(json(200, ({ caller, params }) => ({ comments: issues.listComments(caller, params.key) })))
    .post(
      json(201, ({ caller, params, body, entry }) => {
        const comment = issues.createComment(caller, params.key, body);
        observer.onComment(comment, entry);
        return { comment };
      }),
    )
    .all(methodNotAllowed);
  router
    .route('/ext/issues/:key/comments/:id')
    .patch(
      json(200, ({ caller, params, body }) => ({
        comment: issues.updateComment(caller, params.key, params.id, body),
      })),
    )
    .delete(json(204, ({ caller, params }) => issues.deleteComment(caller, params.key, params.id)))
    .all(methodNotAllowed);
  router.route('/ext/issues/:key/transitions').post(transition).all(methodNotAllowed);

  router
    .route('/ext/project/members')
    .get(json(200, ({ caller, query }) => ({ members: members.list(caller, query) })))
    .all(methodNotAllowed);

  router
    .route('/ext/webhook_url')
    .get(json(200, ({ query }) => inbound.webhookUrl(query)))
    .all(methodNotAllowed);
  router
    .route('/ext/inbound_emails')
    .post(json(201, ({ caller, body }) => inbound.receive(caller, body)))
    .all(methodNotAllowed);

  router
    .route('/ext/telemetry')
    .post(json(202, ({ body }) => extensions.report(body)))
    .all(methodNotAllowed);
  router
    .route('/extensions/logs')
    .post(json(201, ({ body }) => extensions.log(body)))
    .all(methodNotAllowed);
  router
    .route('/extensions/metrics')
    .post(json(201, ({ body }) => extensions.measure(body)))
    .all(methodNotAllowed);
  router
    .route('/extensions/notifications')
    .post(json(201, ({ body }) => extensions.notify(body)))
    .all(methodNotAllowed);
  router
    .route('/extensions/:extensionId')
    .get(json(200, ({ params }) => ({ id: params.extensionId })))
    .all(methodNotAllowed);
  router
    .route('/extensions/:extensionId/events')
    .post(json(201, ({ params, body }) => extensions.logEvent(params.extensionId, body)))
    .all(methodNotAllowed);

  router
    .route('/extensions/:extensionId/secrets')
    .get(json(200, ({ params }) => ({ keys: extensions.secretKeys(params.extensionId) })))
    .all(methodNotAllowed);
  router
    .route('/extensions/:extensionId/secrets/:key')
    .get(json(200, ({ params }) => ({ value: extensions.secret(params.extensionId, params.key) })))
    .post(writeSecret)
    .delete(json(204, ({ params }) => extensions.deleteSecret(params.extensionId, params.key)))
    .all(methodNotAllowed);

  function transition({ params, body }: Request<Params>, res: Response<unknown, Locals>, next: NextFunction): void {
    const { caller, entry } = res.locals;
    const { issue, to } = issues.requestedTransition(caller, params.key, body);
    // Express 4 does not wait for promises.
    observer.transition(issue, to, entry).then((moved) => void res.json({ issue: moved }), next);
  }

  function writeSecret({ params: { extensionId, key }, body }: Request<Params>, res: Response): void {
    const isNew = extensions.writeSecret(extensionId, key, body);
    res.status(isNew ? 201 : 200).json({ key });
  }
}

/** Sends what `carryOut` returns. */
function json(status: number, carryOut: (call: Call) => unknown): Handler {
  return ({ params, query, body }, res) => {
    const { caller, window, entry } = res.locals;
    res.status(status).json(carryOut({ params, query, body, caller, window, entry }));
  };
}

const methodNotAllowed: RequestHandler = (req, res) => {
  const { methods } = req.route as { readonly methods: Readonly<Record<string, boolean>> };
  const allowed = Object.keys(methods).filter((method) => method !== '_all');
  res.set('Allow', allowed.join(', ').toUpperCase());
  throw new RequestError(405, 'Method not allowed');
};

function rateLimitOf({ limit, remaining, resetSeconds, windowSeconds }: RateWindow): object {
  return { limit, remaining, reset_in: resetSeconds, window_seconds: windowSeconds };
}

function formIn({ caller, params, query, body }: Call): FormRequest {
  return { caller, key: params.key, query, body };
}
