import type { Request } from 'express';
import {
  allow,
  kiket,
  kiketErrorHandler,
  kiketEvents,
  kiketHandler,
  kiketIdempotency,
  KIKET_EVENTS,
  KiketMemoryStore,
  kiketParse,
  kiketRespond,
  kiketVerify,
  type KiketDelivery,
  type KiketOptions,
} from 'kiket-express';
import { examplePayload } from 'kiket-express/testing';
import { exchangeOf } from '../../../lib/exchange/exchange';
import { deliver, secret, type DeliverOptions } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { warningsOf } from '../../support/warnings';

const stringIds = { organizationId: 'org_51', projectKey: 'ISS' };
const newer = examplePayload('case.transitioned', { envelope: 'data' });
const guards = ['workflow.before_transition', 'before_transition'];

describeNewest('an envelope', (express) => {
  /** The members that `inspect` finds in a delivery, from inside kiketHandler. */
  async function seen(
    payload: object,
    inspect: (delivery: KiketDelivery) => object,
    options: Partial<KiketOptions> = {},
    sent: DeliverOptions = {},
  ): Promise<unknown> {
    const handler = kiketHandler((delivery) => ({ ...inspect(delivery), ...(delivery.isGuard && allow()) }));
    const app = endpoint(express, [kiket({ secret, ...options }), handler, kiketErrorHandler()]);
    return ((await deliver(app, payload, sent)) as { body: unknown }).body;
  }

  const names = ({ event, envelope, eventSigned, deliveryId }: KiketDelivery) => ({
    event,
    envelope,
    eventSigned,
    deliveryId,
  });

  it.each(['contract', 'data'] as const)('should deliver every known event in the %s envelope', async (envelope) => {
    for (const event of KIKET_EVENTS) {
      const isThirdParty = event.startsWith('external.') && envelope === 'contract';
      const expected = {
        event,
        envelope: isThirdParty ? 'external_webhook' : envelope,
        eventSigned: true,
        ...(envelope === 'data' && { deliveryId: 'evt_7f3a9c' }),
      };
      expect(await seen(examplePayload(event, { envelope }), names)).toMatchObject(expected);
    }
  });

  it('should give string ids as they are', async () => {
    const ids = await seen(newer, ({ organizationId, projectKey, projectId, payload }) => ({
      organizationId,
      projectKey,
      projectId,
      id: payload.data?.case?.id,
    }));
    expect(ids).toEqual({ ...stringIds, projectId: 'prj_27', id: 'ISS-456' });
  });

  it('should give the exact request of a third party', async () => {
    const payload = examplePayload('external.webhook.status_callback');
    const found = await seen(payload, ({ externalWebhook }) => ({
      body: externalWebhook?.body,
      signature: externalWebhook?.headers['x-signature'],
      url: externalWebhook?.originalUrl,
    }));
    expect(found).toEqual({
      body: 'MessageStatus=delivered',
      signature: 'c2lnbmF0dXJl',
      url: 'https://kiket.dev/webhooks/ext/token/status_callback',
    });
  });

  it('should need neither secrets nor a token nor an API context', async () => {
    const found = await seen(newer, ({ secrets, auth }) => ({ keys: secrets.keys(), scopes: auth.scopes }));
    expect(found).toEqual({ keys: [], scopes: [] });
  });

  it.each<[string, DeliverOptions]>([
    ['header', { event: 'case.created' }],
    ['query', { path: '/kiket?event=case.created' }],
  ])('should be 400 delivery.conflict when the %s names another event than `type`', async (_where, sent) => {
    const body = await seen(newer, names, {}, sent);
    expect(body).toMatchObject({ error: { code: 'delivery.conflict', retryable: false } });
  });

  it('should be 400 delivery.conflict when `event` and `type` differ', async () => {
    const body = await seen({ ...newer, event: 'case.created' }, names);
    expect(body).toMatchObject({ error: { code: 'delivery.conflict' } });
  });

  it.each<[string, object, string]>([
    ['data that is null', { ...newer, data: null }, '/data'],
    ['data that is an array', { ...newer, data: [] }, '/data'],
    ['an id that is an object', { ...newer, id: {} }, '/id'],
  ])('should be 422 payload.invalid with %s', async (_name, payload, pointer) => {
    const body = await seen(payload, names);
    expect(body).toMatchObject({ error: { code: 'payload.invalid', details: [{ pointer }] } });
  });

  describe('without an event', () => {
    const payload = { issue: { id: 'issue456' }, transition: { from: 'open', to: 'done' } };
    const sent = { path: '/kiket?event=issue.transitioned' };

    it('should take the event of the path, marked as not signed', async () => {
      expect(await seen(payload, names, {}, sent)).toEqual({
        event: 'issue.transitioned',
        envelope: 'contract',
        eventSigned: false,
      });
    });

    it('should be 422 payload.invalid with signedEventRequired', async () => {
      const body = await seen(payload, names, { signedEventRequired: true }, sent);
      expect(body).toMatchObject({
        error: {
          code: 'payload.invalid',
          details: [{ pointer: '/event', reason: expect.stringContaining('signedEventRequired') as string }],
        },
      });
    });

    it('should take a signed event with signedEventRequired', async () => {
      expect(await seen(newer, names, { signedEventRequired: true })).toMatchObject({ eventSigned: true });
    });
  });

  describe('a guard event', () => {
    it.each([...guards.map((event) => [event, undefined] as const), ['acme.approve', ['acme.approve']] as const])(
      '%s should need a decision (guardEvents: %j)',
      async (event, guardEvents) => {
        const app = endpoint(express, [
          kiket({ secret, guardEvents }),
          kiketHandler(() => ({ ok: true })),
          kiketErrorHandler(),
        ]);
        for (const envelope of ['contract', 'data'] as const) {
          const response = await deliver(app, examplePayload(event, { envelope })).expect(500);
          expect(response.body).toMatchObject({ error: { code: 'reply.missing' } });
        }
      },
    );

    it('should not match `*`, in its short form either', async () => {
      const events = kiketEvents().on('*', () => undefined);
      const app = endpoint(express, [kiket({ secret }), events, kiketErrorHandler()]);
      await deliver(app, examplePayload('before_transition')).expect(404);
    });

    it.each<[string, Partial<KiketOptions>, event: string, least: number, most: number]>([
      ['7 s for a guard event', {}, 'before_transition', 1, 7000],
      ['9 s for another', {}, 'issue.created', 7001, 9000],
      ['deadlineMs for a guard event', { deadlineMs: 60_000 }, 'before_transition', 9001, 60_000],
    ])('should have a deadline of %s', async (_name, options, event, least, most) => {
      const remainingMs = (req: Request) => exchangeOf(req)!.remainingMs;
      for (const stages of [
        [kiket({ secret, ...options })],
        [kiketVerify(secret), kiketParse(), kiketRespond(options)],
        ...(Object.keys(options).length === 0 ? [[kiketVerify(secret), kiketParse()]] : []),
      ]) {
        const handler = kiketHandler((_delivery, req) => ({ ...allow(), metadata: { left: remainingMs(req) } }));
        const app = endpoint(express, [...stages, handler, kiketErrorHandler()]);
        const response = await deliver(app, examplePayload(event)).expect(200);
        const { left } = (response.body as { metadata: { left: number } }).metadata;
        expect(left).toBeGreaterThanOrEqual(least);
        expect(left).toBeLessThanOrEqual(most);
      }
    });
  });

  describe('with kiketIdempotency', () => {
    function counting() {
      let runs = 0;
      const store = new KiketMemoryStore();
      const handler = kiketHandler(() => ({ run: ++runs }));
      return endpoint(express, [kiket({ secret }), kiketIdempotency(store), handler, kiketErrorHandler()]);
    }

    it('should run a delivery of one id once, whatever the headers and other members are', async () => {
      const app = counting();
      const first = { ...newer, secrets: { A: 'one' } };
      await deliver(app, first, { invocationId: 'inv-1', organizationId: 7 }).expect(200, { run: 1 });
      await deliver(app, first, { invocationId: 'inv-2', organizationId: 8 }).expect(200, { run: 1 });
      await deliver(app, { ...newer, attempt: 2 }, { timestampSeconds: Math.floor(Date.now() / 1000) + 1 }).expect(
        200,
        {
          run: 1,
        },
      );
    });

    it('should run a delivery of another id, event or organization', async () => {
      const app = counting();
      await deliver(app, newer).expect(200, { run: 1 });
      await deliver(app, { ...newer, id: 'evt_other' }).expect(200, { run: 2 });
      await deliver(app, { ...newer, type: 'case.created' }).expect(200, { run: 3 });
      await deliver(app, { ...newer, organizationId: 'org_52' }).expect(200, { run: 4 });
    });

    it('should neither replay nor block the delivery of another tenant by its id', async () => {
      const app = endpoint(express, [
        kiket({ secret: (req) => `secret of ${req.query['tenant'] as string}` }),
        kiketIdempotency(new KiketMemoryStore()),
        kiketHandler(({ payload }) => ({ name: payload.data?.['name'] })),
        kiketErrorHandler(),
      ]);
      for (const name of ['a', 'b']) {
        const payload = { id: 'evt_1', type: 'case.created', organizationId: 'org_b', data: { name } };
        const sent = { path: `/kiket?tenant=${name}`, secret: `secret of ${name}` };
        await deliver(app, payload, sent).expect(200, { name });
      }
    });

    it('should not take the parameter `id` of a command for the id of a delivery', async () => {
      const app = counting();
      const command = { event: 'slack.sendMessage', id: 7, data: { channel: 'a' } };
      await deliver(app, command).expect(200, { run: 1 });
      await deliver(app, { ...command, data: { channel: 'b' } }).expect(200, { run: 2 });
    });
  });
});

describeNewest('a reply that reports a failure', (express) => {
  it.each([
    { ok: false, error: 'x' },
    { success: false, error: 'x' },
  ])('should not decide about a guard event: %j', async (reply) => {
    const app = endpoint(express, [kiket({ secret }), kiketHandler(() => reply), kiketErrorHandler()]);
    await deliver(app, examplePayload('workflow.before_transition')).expect(500);
  });

  it('should be sent for another event, with a warning that is shown once', async () => {
    const reply = { success: false, error: 'x' };
    const app = endpoint(express, [kiket({ secret }), kiketHandler(() => reply), kiketErrorHandler()]);
    const warnings = await warningsOf(async () => {
      await deliver(app).expect(200, reply);
      await deliver(app).expect(200, reply);
    });
    expect(warnings).toMatchObject([{ code: 'KIKET_FAILURE_AS_SUCCESS' }]);
  });
});

describeNewest('the start-up check of an event', () => {
  it.each<[string, string | undefined]>([
    ['issue.creatd', 'issue.created'],
    ['issues.created', 'issue.created'],
    ['case.comented@v2', 'case.commented'],
    ['issue.created', undefined],
    ['issues.*', 'issue.*'],
    ['workflow.isue.*', 'workflow.issue.*'],
    ['issue.*', undefined],
    ['issue.comment.*', undefined],
    ['*', undefined],
    ['acme.paid', undefined],
    ['issue.unassigned', undefined],
  ])('should warn of %s: did you mean %s?', async (event, meant) => {
    const warnings = await warningsOf(() => Promise.resolve(void kiketEvents().on(event, () => undefined)));
    const message = expect.stringContaining(`Did you mean "${meant}"?`) as string;
    expect(warnings).toMatchObject(meant === undefined ? [] : [{ code: 'KIKET_EVENT_UNKNOWN', message }]);
  });
});
