import { printedRequest, type PrintForm } from '../../../captures/print-request';
import { explainRequest } from '../../../explain/explain';
import { REACHED } from '../../deliveries';
import { InputError, type ReplayMode, type Until } from '../../local-kiket';
import type { AttemptDetail, DeliverySummary } from '../../model';
import type { AcceptedDelivery, PrintedRequest, RevealedValue, SavedDelivery } from '../messages';
import { found, route, WaitFailed, type ControlContext, type Route, type RouteCall } from '../route';
import { isLoopbackPeer } from '../guard';
import { saveDelivery } from '../save-delivery';
import { explainSettings } from './verify';

const EVENT = { description: 'A name, or a pattern such as `issue.*`.', schema: { type: 'string' } } as const;

/** Deliveries and their attempts. */
export const DELIVERY_ROUTES: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/deliveries',
    summary: 'Lists deliveries, the newest first',
    query: {
      event: EVENT,
      outcome: { description: 'A state.', schema: { type: 'string' } },
      q: {
        description: 'Words that must occur: text, `status:5xx`, `event:issue.*`, `state:halted`.',
        schema: { type: 'string' },
      },
      after: {
        description: 'Only deliveries with a lower number than this.',
        schema: { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER },
      },
      limit: { description: 'How many.', schema: { type: 'integer', minimum: 1, maximum: 1000, default: 100 } },
    },
    status: 200,
    result: 'DeliveryPage',
    run: ({ query }, { kiket }) => kiket.deliveries.list(query),
  }),
  route({
    method: 'get',
    path: '/api/deliveries/latest',
    summary: 'Returns the newest delivery that matches',
    query: { event: EVENT },
    status: 200,
    result: 'DeliveryDetail',
    failures: [404],
    run: ({ query }, { kiket }) =>
      found(kiket.deliveries.latest(query['event'] as string | undefined), 'such delivery'),
  }),
  route({
    method: 'get',
    path: '/api/deliveries/:id',
    summary: 'Returns a delivery with its attempts',
    status: 200,
    result: 'DeliveryDetail',
    failures: [404],
    run: ({ params }, { kiket }) => deliveryOf(params, kiket),
  }),
  route({
    method: 'get',
    path: '/api/deliveries/:id/wait',
    summary: 'Waits until a delivery has ended',
    query: {
      until: {
        description: '`settled` is either, or an approval that is waited for.',
        schema: { type: 'string', enum: ['completed', 'failed', 'settled'], default: 'settled' },
      },
      timeoutMs: {
        description: 'After this time, the response has the status 408.',
        schema: { type: 'integer', minimum: 0, maximum: 60_000, default: 10_000 },
      },
    },
    status: 200,
    result: 'DeliverySummary',
    failures: [404, 408, 409],
    async run({ params, query }, { kiket }) {
      const { id } = deliveryOf(params, kiket);
      const until = query['until'] as Until;
      const delivery = await kiket.deliveries.wait(id, until, query['timeoutMs'] as number);
      if (!REACHED[until](delivery)) throw new WaitFailed(delivery);
      return delivery;
    },
  }),
  route({
    method: 'post',
    path: '/api/deliveries',
    summary: 'Sends a delivery',
    body: 'DeliveryInput',
    status: 202,
    result: 'AcceptedDelivery',
    failures: [503],
    run: (call, { kiket }) => accepted(call, kiket.deliveries.send(call.body)),
  }),
  route({
    method: 'delete',
    path: '/api/deliveries',
    summary: 'Removes the deliveries that have ended',
    status: 204,
    run: (_call, { kiket }) => kiket.deliveries.clear(),
  }),
  route({
    method: 'post',
    path: '/api/deliveries/:id/replay',
    summary: 'Sends a delivery again: the same bytes, signed again, or as a retry',
    body: 'ReplayInput',
    status: 202,
    result: 'AcceptedDelivery',
    failures: [404, 409, 503],
    run(call, { kiket }) {
      const { mode, set } = call.body as { mode: ReplayMode; set?: Readonly<Record<string, unknown>> };
      return accepted(call, kiket.deliveries.replay(deliveryOf(call.params, kiket).id, mode, set));
    },
  }),
  action('attempt', 'Makes an attempt at once', 202, ({ deliveries }, id) => deliveries.attemptNow(id)),
  action('skip', 'Makes the attempts that are left without their delays', 202, ({ deliveries }, id) =>
    deliveries.skipDelays(id),
  ),
  action('cancel', 'Gives a delivery up', 200, ({ deliveries }, id) => deliveries.cancel(id)),
  route({
    method: 'post',
    path: '/api/deliveries/:id/save',
    summary: 'Saves the payload, without secrets, as a file for `kiket-express send`',
    body: 'SaveInput',
    status: 201,
    result: 'SavedDelivery',
    failures: [404, 409],
    async run({ params, body: { name } }, { kiket, deliveriesDirectory }): Promise<SavedDelivery> {
      const { payload } = deliveryOf(params, kiket);
      if (payload === undefined) throw new InputError(409, 'the delivery has bytes of its own, and no payload');
      return { file: await saveDelivery(deliveriesDirectory, name, payload) };
    },
  }),
  route({
    method: 'post',
    path: '/api/deliveries/:id/attempts/:n/reveal',
    summary: 'Returns a value that is not shown otherwise, to a client on this machine',
    body: 'RevealInput',
    status: 200,
    result: 'RevealedValue',
    failures: [404, 409],
    run({ params, body, req }, { kiket }): RevealedValue {
      if (!isLoopbackPeer(req)) throw new InputError(403, 'values are shown to a client on this machine only');
      const { id, number } = attemptOf(params, kiket);
      if (!/^(?:signature|token|secret:.+)$/s.test(body.value)) throw new InputError(404, 'there is no such value');
      return { value: kiket.deliveries.reveal(id, number, body.value) };
    },
  }),
  route({
    method: 'post',
    path: '/api/deliveries/:id/attempts/:n/verify',
    summary: 'Explains the signature of what was sent',
    status: 200,
    result: 'SignatureExplanation',
    failures: [404, 409],
    run({ params }, context) {
      const { id, number, request, startedAt } = attemptOf(params, context.kiket);
      const exact = context.kiket.deliveries.exactRequest(id, number);
      if (exact === undefined) throw new InputError(409, 'the exact bytes of the attempt are no longer in memory');
      return explainRequest(
        { method: request.method, url: request.url, ...exact, receivedAt: startedAt },
        explainSettings(context),
      );
    },
  }),
  route({
    method: 'get',
    path: '/api/deliveries/:id/attempts/:n/print',
    summary: 'Returns the request of an attempt as text, without secrets',
    query: {
      form: {
        description: 'The command curl, the bytes of HTTP, or a test for Jest.',
        schema: { type: 'string', enum: ['curl', 'http', 'test'], default: 'curl' },
      },
    },
    status: 200,
    result: 'PrintedRequest',
    failures: [404, 409],
    run({ params, query }, { kiket }): PrintedRequest {
      const { request } = attemptOf(params, kiket);
      const body = Buffer.from(request.body, request.isBase64 ? 'base64' : 'utf8');
      try {
        return { text: printedRequest(query['form'] as PrintForm, { ...request, body }).toString() };
      } catch (error) {
        if (error instanceof RangeError) throw new InputError(409, error.message);
        throw error;
      }
    },
  }),
];

function action(
  name: string,
  summary: string,
  status: number,
  run: (kiket: ControlContext['kiket'], id: string) => DeliverySummary,
): Route {
  return route({
    method: 'post',
    path: `/api/deliveries/:id/${name}`,
    summary,
    status,
    result: 'DeliverySummary',
    failures: [404, 409],
    run: ({ params }, { kiket }) => run(kiket, deliveryOf(params, kiket).id),
  });
}

type Params = RouteCall<unknown>['params'];

function deliveryOf({ id }: Params, { deliveries }: ControlContext['kiket']) {
  return found(deliveries.find(id!), 'such delivery');
}

function attemptOf(params: Params, kiket: ControlContext['kiket']): AttemptDetail & { readonly id: string } {
  const { id, attempts } = deliveryOf(params, kiket);
  const attempt = attempts.find(({ number }) => String(number) === params['n']);
  return { ...found(attempt, 'such attempt'), id };
}

function accepted({ locate }: RouteCall<unknown>, delivery: DeliverySummary): AcceptedDelivery {
  const location = `/api/deliveries/${encodeURIComponent(delivery.id)}`;
  locate(location);
  return { id: delivery.id, location, delivery };
}
