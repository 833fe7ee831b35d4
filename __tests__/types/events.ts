// The types of the delivery that a handler of kiketEvents receives, and of the reply that it returns.

/* eslint-disable @typescript-eslint/require-await */

import express from 'express';
import { allow, deny, kiketEvents, type KiketDelivery, type KiketEvents, type KiketHandler } from 'kiket-express';
import type { KiketPayload, KiketTransition } from 'kiket-express/delivery';
import { exactly } from './exactly';

declare module 'kiket-express' {
  interface KiketEventMap {
    'acme.billed': { readonly bill: { readonly cents: number } };
    'acme.billed@v2': { readonly bill: { readonly euros: number } };
    'acme.refunded': { readonly refund: { readonly cents: number } };
  }
}

// Each step returns the middleware itself, for the next step and for Express, without losing its type.
const events: KiketEvents & { readonly note: 'ours' } = Object.assign(kiketEvents(), { note: 'ours' as const });
exactly<'ours'>()(events.on('issue.created', () => {}).note);
exactly<'ours'>()(events.on(['issue.updated', 'vendor.*'], { scopes: ['issues.read'] }, () => {}).note);
exactly<'ours'>()(events.otherwise('ignore').note);
for (const { event, version } of events.registered) {
  exactly<string>()(event);
  exactly<string | undefined>()(version);
}
express().post('/kiket', events, (req, res) => void res.json({ event: req.kiket?.event }));
// @ts-expect-error it is to be read
events.registered = [];
// @ts-expect-error and not to be changed
events.registered.length = 0;
// @ts-expect-error nor is what it holds
events.registered[0]!.event = 'other';

// The payload and the event follow from the name.
kiketEvents()
  .on('acme.billed', ({ event, payload }) => {
    exactly<'acme.billed'>()(event);
    exactly<number>()(payload.bill.cents);
    // @ts-expect-error a field of the other version
    void payload.bill.euros;
  })
  .on('acme.billed@v2', ({ event, payload }) => {
    exactly<'acme.billed'>()(event);
    exactly<number>()(payload.bill.euros);
    // @ts-expect-error a field of the other version
    void payload.bill.cents;
  })
  .on('acme.refunded@v7', { scopes: [] }, ({ event, payload }) => {
    exactly<'acme.refunded'>()(event);
    exactly<number>()(payload.refund.cents);
  })
  .on('issue.transitioned', async ({ payload }, req, res) => {
    exactly<KiketTransition | undefined>()(payload.transition);
    exactly<express.Request>()(req);
    exactly<express.Response>()(res);
    return { from: payload.transition?.from };
  });

// A list results in the union, and each event can be narrowed.
kiketEvents()
  .on(['acme.billed', 'acme.refunded'], ({ event, payload }) => {
    exactly<'acme.billed' | 'acme.refunded'>()(event);
    if ('bill' in payload) void payload.issue?.id;
    // @ts-expect-error not every payload of the list has it
    void payload.bill.cents;
  })
  .on(['acme.billed', 'acme.refunded'] as const, { scopes: ['billing'] as const }, (delivery) => {
    if (delivery.is('acme.billed')) exactly<number>()(delivery.payload.bill.cents);
  })
  .on(['acme.billed', 'acme.billed@v2'], ({ event }) => exactly<'acme.billed'>()(event));

// Any other event may be registered. Its payload has the fields of every delivery.
kiketEvents()
  .on('vendor.unknown', ({ event, payload }) => {
    exactly<'vendor.unknown'>()(event);
    exactly<KiketPayload>()(payload);
  })
  .on('vendor.unknown@v2', ({ event }) => exactly<'vendor.unknown'>()(event))
  .on('issue.*', ({ event, payload }) => {
    exactly<string>()(event);
    exactly<KiketPayload>()(payload);
  })
  .on('*', ({ event }) => exactly<string>()(event));
const names: string[] = ['a', 'b'];
kiketEvents().on(names, (delivery) => exactly<KiketDelivery>()(delivery));

// A guard must reply, in any version, and with any other event in its list.
kiketEvents()
  .on('workflow.before_transition', ({ payload }) => (payload.transition?.to === 'done' ? deny('Not yet') : allow()))
  .on('workflow.before_transition@v2', async () => allow())
  .on(['workflow.before_transition@v3', 'issue.created'], { scopes: ['a'] }, () => ({ status: 'pending' }));
const guard: KiketHandler<'workflow.before_transition'> = async () => ({ status: 'deny', message: 'no' });
kiketEvents().on('workflow.before_transition', guard);
// @ts-expect-error undefined is not a reply
kiketEvents().on('workflow.before_transition', () => {});
// @ts-expect-error nor is a promise of nothing
kiketEvents().on('workflow.before_transition', async () => {});
// @ts-expect-error in whatever version
kiketEvents().on('workflow.before_transition@v2', () => ({ ok: true }));
// @ts-expect-error with options, too
kiketEvents().on('workflow.before_transition', { scopes: ['a'] }, () => ({ status: 'maybe' }));
// @ts-expect-error and among others
kiketEvents().on(['issue.created', 'workflow.before_transition'], () => ({ ok: true }));
// @ts-expect-error not even sometimes
kiketEvents().on(['workflow.before_transition', 'issue.created'], ({ event }) => {
  if (event === 'workflow.before_transition') return allow();
  return undefined;
});

// Invalid calls.
// @ts-expect-error a string is not a reply
kiketEvents().on('issue.created', () => 'ok');
// @ts-expect-error the handler is missing
kiketEvents().on('issue.created');
// @ts-expect-error the handler comes last
kiketEvents().on('issue.created', () => {}, {});
// @ts-expect-error a handler of another event
kiketEvents().on('issue.created', (delivery: KiketDelivery<'acme.billed'>) => void delivery.payload.bill);
// @ts-expect-error scopes are a list
kiketEvents().on('issue.created', { scopes: 'issues.read' }, () => {});
// @ts-expect-error and of strings
kiketEvents().on('issue.created', { scopes: [42] }, () => {});
// @ts-expect-error null is not absent
kiketEvents().on('issue.created', { scopes: null }, () => {});
// @ts-expect-error an option that is misspelt would be ignored
kiketEvents().on('issue.created', { scope: ['issues.read'] }, () => {});
// @ts-expect-error an event is a string
kiketEvents().on(/issue/, () => {});
// @ts-expect-error the payload does not offer secrets
kiketEvents().on('issue.created', ({ payload }) => payload.secrets satisfies object);
// @ts-expect-error none of the words
kiketEvents().otherwise('drop');
// @ts-expect-error a string is not a reply
kiketEvents().otherwise(() => 'ok');
kiketEvents().otherwise((delivery, req, res) => {
  exactly<KiketDelivery>()(delivery);
  exactly<express.Request>()(req);
  exactly<express.Response>()(res);
});
