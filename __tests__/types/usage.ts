// Users' code that must compile: against the sources, and against the installed package with @types/express 4 and 5 and
// TypeScript 5.9 to 7.

/* eslint-disable @typescript-eslint/require-await, @typescript-eslint/no-unsafe-member-access, @typescript-eslint/no-unsafe-assignment */

import { describe, it } from 'node:test';
import express, { Router } from 'express';
import {
  KiketApiError,
  KiketError,
  NonRetryableError,
  RetryableError,
  allow,
  captureRawBody,
  createKiketApi,
  deny,
  kiket,
  kiketDelivery,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketParse,
  kiketRawBody,
  kiketRespond,
  kiketVerify,
  type KiketHandler,
  type KiketStore,
} from 'kiket-express';
import { loadManifest, parseManifest } from 'kiket-express/manifest';
import { describeStoreContract } from 'kiket-express/testing';

const app = express();
const secret: string = 's';

// One line before an existing route: path parameters and inline handlers keep their types.
app.use(express.json({ limit: '1mb', verify: captureRawBody }));
app.use(
  '/hooks/kiket',
  kiketVerify(secret, { reportOnly: true, onRefused: (error, req) => console.warn(error.code, req.path) }),
);
app.post('/hooks/:tenant', kiketVerify(secret), kiketParse(), kiketRespond(), (req, res) => {
  const tenant: string = req.params.tenant;
  const title = req.kiket?.payload?.issue?.title;
  const { secrets } = kiketDelivery(req);
  if (secrets.get(tenant) === undefined) return res.kiket.reject('unknown tenant');
  res.json({ ok: true, title });
});

// The whole chain.
app.post(
  '/kiket',
  kiketRawBody(),
  kiketVerify([secret, 'previous']),
  kiketParse(),
  kiketRespond(),
  kiketHandler('workflow.sla_status', async ({ payload, secrets, api }) => {
    if ((payload.metrics?.overdue_minutes ?? 0) > 0) await api.slaEvents().list({ state: 'breached' });
    return { ok: true, channel: secrets.require('CHANNEL').length };
  }),
  kiketErrorHandler({ onError: (error) => String(error) }),
);

// Guards must reply.
app.post(
  '/guard',
  kiket({ secret }),
  kiketHandler('workflow.before_transition', ({ payload }) =>
    payload.transition?.to === 'done' ? deny('Not yet') : allow(),
  ),
);
// @ts-expect-error a guard must reply
kiketHandler('workflow.before_transition', () => {});
// @ts-expect-error in whatever version
kiketHandler('workflow.before_transition@v2', () => ({ ok: true }));
const guard: KiketHandler<'workflow.before_transition'> = async () => ({ status: 'deny', message: 'no' });
app.post('/guard2', kiketHandler('workflow.before_transition', guard));

// Any event, narrowed inside; an event of one's own; unknown names.
declare module 'kiket-express' {
  interface KiketEventMap {
    'acme.paid': { readonly invoice: { readonly total: number } };
  }
}
app.post(
  '/any',
  kiket({ secret }),
  kiketHandler((delivery) => {
    if (delivery.is('issue.transitioned')) return { from: delivery.payload.transition?.from };
    if (delivery.is('acme.paid')) return { total: delivery.payload.invoice.total };
    return undefined;
  }),
);
kiketHandler('issue.created', ({ payload }) => {
  void payload.issue?.id;
});
kiketHandler('issue.created@v2', ({ event }) => {
  const name: 'issue.created' = event;
  void name;
});
kiketHandler('issue.*', ({ event }) => {
  void event.length;
});
kiketHandler('acme.paid', ({ payload }) => {
  void payload.invoice.total;
});
kiketHandler('vendor.unknown', ({ payload }) => {
  const field: unknown = payload['field'];
  void field;
});
kiketHandler('*', () => {});
app.post('/paid', (req) => {
  const total: number = kiketDelivery(req, 'acme.paid').payload.invoice.total;
  void total;
});
app.post('/manifest', kiket({ manifest: loadManifest() }), kiketEvents({ manifest: loadManifest('extension.yaml') }));
kiket({ manifest: loadManifest(), secret: undefined, onRefused: ({ code }, req) => void [code.length, req.ip] });
kiketParse({ manifest: parseManifest('id: a', { path: 'extension.yaml', env: process.env }) });
// @ts-expect-error neither a secret nor a manifest
kiket({ deadlineMs: 5000 });
// @ts-expect-error a secret that may be absent, and no manifest
kiket({ secret: process.env['KIKET_SECRET'] });
// @ts-expect-error a path in place of a manifest
kiket({ manifest: 'extension.yaml' });
// @ts-expect-error the same
kiketEvents().check('extension.yaml');
const events = kiketEvents()
  .on('workflow.before_transition', guard)
  .on('issue.created', ({ payload }) => {
    void payload.issue?.id;
  })
  .on('issue.created@v2', ({ event }) => {
    const name: 'issue.created' = event;
    void name;
  })
  .on(['issue.updated', 'issue.assigned'], ({ event }) => {
    const name: 'issue.updated' | 'issue.assigned' = event;
    void name;
  })
  .on('issue.*', { scopes: ['issues.read'] }, ({ event }) => {
    void event.length;
  })
  .on('acme.paid', ({ payload }) => {
    void payload.invoice.total;
  })
  .on('vendor.unknown', ({ payload }) => {
    const field: unknown = payload['field'];
    void field;
  })
  .on('*', () => {})
  .otherwise('ignore');
// @ts-expect-error a guard must reply
events.on('workflow.before_transition', () => {});
// @ts-expect-error among other events, too
events.on(['issue.created', 'workflow.before_transition@v2'], () => ({ ok: true }));
const router = Router();
router.post(
  ['/kiket', '/webhooks/:event', '/v/:version/webhooks/:event'],
  kiket({ secret: (req) => (req.params.event ? secret : undefined) }),
  events,
);
router.post(
  '/:event',
  kiket({ secret }),
  kiketHandler(() => undefined),
);

// Tenants, misuse, errors.
kiketVerify(async (req) => req.get('x-kiket-organization'));
kiketVerify((req: express.Request<{ tenant: string }>) => req.params.tenant);
// @ts-expect-error a secret must not be undefined
kiket({ secret: process.env.KIKET_WEBHOOK_SECRET });
app.post(
  '/x',
  // @ts-expect-error the payload does not offer secrets
  kiketHandler(({ payload }) => ({ a: payload.secrets.A })),
);
app.post('/y', (req, res) => {
  // @ts-expect-error undefined before it has run
  void req.kiket.event;
  // @ts-expect-error a guard's refusal has a message
  res.kiket.deny();
});
// @ts-expect-error the status is the class's, so the base is not for throwing
new KiketError('handler.final', 'No');
export function log(error: unknown): void {
  if (KiketError.is(error) && error.code === 'signature.missing') console.warn(error.headers);
  if (error instanceof KiketApiError) console.warn(error.apiStatus, error.rateLimit?.remaining);
}
export class Database implements KiketStore {
  async claim() {
    return { state: 'claimed' } as const;
  }
  async renew() {
    return true;
  }
  async complete() {
    return true;
  }
  async release() {}
}
describeStoreContract('Database', () => new Database());
describeStoreContract('Database', async () => [new Database(), new Database()], {
  describe,
  it,
  unreachable: () => new Database(),
});
// @ts-expect-error a store has four methods
describeStoreContract('Database', () => ({ release: async () => {} }));
// @ts-expect-error there are two replicas
describeStoreContract('Database', () => [new Database(), new Database(), new Database()]);
export async function nightly(): Promise<void> {
  const contacts = createKiketApi({ apiKey: 'ext_1', projectId: 27 }).customData<{ email: string }>(
    'com.acme.crm.contacts',
    'records',
  );
  for await (const contact of contacts.iterate()) {
    if (contact.email === '') throw new NonRetryableError('No address', { code: 'crm.no_address' });
  }
  const issue = await createKiketApi({ workspaceToken: 'wk_1' }).issues(27).get('OPS-1');
  const { title = '', assignee } = issue;
  if (assignee?.email != null) throw new NonRetryableError(`${title} is assigned to ${assignee.email}`);
  // @ts-expect-error a field that is not known is unknown
  void issue.points.length;
  const api = createKiketApi({ apiKey: 'ext_1', projectId: 'proj-456' });
  const [comment] = await api.issues().comments('ISS-42').list();
  void comment?.author?.name?.length;
  const { url } = await api.webhookUrl('inbound_email');
  // @ts-expect-error there may be none
  void url.length;
  await api.inboundEmails().create({ fromEmail: 'a@example.com', toEmail: 'b@example.com' });
  // @ts-expect-error an e-mail has a sender
  await api.inboundEmails().create({ toEmail: 'b@example.com' });
  await api.metric('duration', 1.5, 'ms');
  await api.notify({ title: 'Done', body: 'All is synced', level: 'info' });
  // @ts-expect-error a state that exists
  await createKiketApi({}).slaEvents().list({ state: 'late' });
  throw new RetryableError('Later', { retryAfterSeconds: 30 });
}
