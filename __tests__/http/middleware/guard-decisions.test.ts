import fc from 'fast-check';
import type { Request, RequestHandler, Response } from 'express';
import {
  allow,
  deny,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  pending,
  type KiketGuardReply,
  type KiketMiddleware,
} from 'kiket-express';
import { attempt, once } from '../../support/attempts';
import { deliver, example, secret } from '../../support/deliver';
import { endpoint, type Stage } from '../../support/endpoint';
import { describeMajors, describeNewest } from '../../support/express';
import { WatchedStore } from '../../support/watched-store';
import { compressed } from '../../support/wrapping';

const EVENT = 'workflow.before_transition';
const guard = { ...example, event: EVENT };

const decisions: Record<string, KiketGuardReply> = { allow: allow(), deny: deny('No'), pending: pending('Wait') };

/** Handlers that decide after a status and headers were set. */
const deciders: Record<string, (decision: string, prepare: (res: Response) => void) => Stage> = {
  kiketHandler: (decision, prepare) => kiketHandler(EVENT, (_d, _q, res) => (prepare(res), decisions[decision]!)),
  'kiketHandler, later': (decision, prepare) =>
    kiketHandler(EVENT, async (_d, _q, res) => (prepare(res), await Promise.resolve(decisions[decision]!))),
  kiketEvents: (decision, prepare) =>
    kiketEvents().on(EVENT, (_d, _q, res) => (prepare(res), decisions[decision]!)) as KiketMiddleware,
  'res.kiket': (decision, prepare) => (_req: Request, res: Response) => {
    prepare(res);
    if (decision === 'allow') res.kiket.allow();
    else if (decision === 'deny') res.kiket.deny('No');
    else res.kiket.pending('Wait');
  },
};

describeMajors('a decision of a guard', (express) => {
  it('should be in the received body, with any status and headers set before', async () => {
    const statuses = fc.integer({ min: 200, max: 299 });
    const headers = fc.constantFrom(
      {},
      { 'Content-Encoding': 'gzip' },
      { 'Content-Length': '3' },
      { 'Content-Type': 'text/plain; charset=utf-16' },
    );
    await fc.assert(
      fc.asyncProperty(
        statuses,
        headers,
        fc.constantFrom(...Object.keys(decisions)),
        fc.constantFrom(...Object.keys(deciders)),
        fc.constantFrom('by the handler', 'by a middleware before'),
        async (status, fields, decision, decider, by) => {
          const prepare = (res: Response): unknown => res.status(status).set(fields);
          const before: RequestHandler[] = by === 'by the handler' ? [] : [(_req, res, next) => (prepare(res), next())];
          const decide = deciders[decider]!(decision, by === 'by the handler' ? prepare : () => undefined);
          const app = once(express, new WatchedStore(), decide, { before });
          for (const replayed of [undefined, decision === 'pending' ? undefined : 'true']) {
            const response = await attempt(app, guard);
            expect([response.body, response.headers['kiket-replayed']]).toEqual([decisions[decision], replayed]);
            expect(response.status).toBe(status === 204 || status === 205 ? 200 : status);
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describeNewest('a decision of a guard', (express) => {
  it.each([204, 205])('should reach the client when %i was set, behind a compression', async (status) => {
    const handler = kiketHandler(EVENT, (_d, _q, res) => (res.status(status), deny('x'.repeat(3000))));
    const app = endpoint(express, [kiket({ secret }), handler], [compressed()]);
    await deliver(app, guard).expect(200, { ...deny('x'.repeat(3000)) });
  });

  it.each(['204', 204.5, '205'])('should reach the client when the status %p was assigned', async (status) => {
    const handler = kiketHandler(EVENT, (_d, _q, res) => ((res.statusCode = status as number), deny('No')));
    await deliver(endpoint(express, [kiket({ secret }), handler]), guard).expect(200, { ...deny('No') });
  });

  const silences: Record<string, Stage> = {
    'res.kiket.ok()': (_req: Request, res: Response) => res.kiket.ok(),
    'res.kiket.ok() with an object': (_req: Request, res: Response) => res.kiket.ok({ ok: true }),
    'nothing of kiketHandler': kiketHandler(() => undefined),
    'nothing after 204': kiketHandler((_d, _q, res) => void res.status(204)),
  };

  it.each(Object.entries(silences))('should 500 reply.missing for %s', async (_name, handler) => {
    const app = endpoint(express, [kiket({ secret }), handler, kiketErrorHandler()]);
    const response = await deliver(app, guard).expect(500);
    expect(response.body).toMatchObject({ error: { code: 'reply.missing' } });
  });

  it('should not be required of other events, which may get an empty 204', async () => {
    const handler = kiketHandler((_d, _q, res) => (res.status(204), { dropped: true }));
    await deliver(endpoint(express, [kiket({ secret }), handler])).expect(204, '');
  });

  const undecided: Record<string, (res: Response) => unknown> = {
    'an empty 204': (res) => res.sendStatus(204),
    'an empty 200': (res) => res.end(),
    'another object': (res) => res.json({ ok: true }),
    'a string': (res) => res.send('allow'),
    'a decision that is too large to be kept': (res) => res.json({ status: 'allow', text: 'x'.repeat(70_000) }),
    'a decision in UTF-16': (res) =>
      res.type('text/plain; charset=utf-16le').end(Buffer.from('{"status":"allow"}', 'utf16le')),
  };

  it.each(Object.entries(undecided))('should not be stored when a plain handler sends %s', async (_name, act) => {
    const store = new WatchedStore();
    let runs = 0;
    const app = once(express, store, (_req: Request, res: Response) => (runs++, void act(res)));
    await attempt(app, guard);
    await attempt(app, guard).expect((response) => expect(response.headers['kiket-replayed']).toBeUndefined());
    expect(runs).toBe(2);
  });
});
