import type { CallList, RotatedSecret } from '../messages';
import { route, type Route } from '../route';

/** Settings, secrets, and what the extension does with the API. */
export const SETTINGS_ROUTES: readonly Route[] = [
  route({
    method: 'get',
    path: '/api/settings',
    summary: 'Returns the settings, without the values of secrets',
    status: 200,
    result: 'SettingsView',
    run: (_call, { kiket }) => kiket.settings.read(),
  }),
  route({
    method: 'patch',
    path: '/api/settings',
    summary: 'Changes settings',
    body: 'SettingsChange',
    status: 200,
    result: 'SettingsView',
    run: ({ body }, { kiket }) => kiket.settings.change(body),
  }),
  route({
    method: 'put',
    path: '/api/secrets/:key',
    summary: 'Sets a secret of the payload, which cannot be read back',
    body: 'SecretInput',
    status: 204,
    run: ({ params, body }, { kiket }) => kiket.settings.setSecret(params['key']!, body.value),
  }),
  route({
    method: 'delete',
    path: '/api/secrets/:key',
    summary: 'Removes a secret of the payload',
    status: 204,
    failures: [404],
    run: ({ params }, { kiket }) => kiket.settings.deleteSecret(params['key']!),
  }),
  route({
    method: 'post',
    path: '/api/secret/rotate',
    summary: 'Makes a new delivery secret, and shows it this once; the old one stays valid for 24 hours',
    status: 200,
    result: 'RotatedSecret',
    run: (_call, { kiket }): RotatedSecret => ({ secret: kiket.settings.rotate() }),
  }),
  route({
    method: 'get',
    path: '/api/calls',
    summary: 'Lists the requests of the extension to the API, and what they have left there',
    query: { delivery: { description: 'Only those of this delivery.', schema: { type: 'string' } } },
    status: 200,
    result: 'CallList',
    run: ({ query }, { kiket }): CallList => ({
      calls: kiket.calls.list(query['delivery'] as string | undefined),
      rateLimit: kiket.calls.rateLimit(),
      state: kiket.calls.state(),
    }),
  }),
  route({
    method: 'post',
    path: '/api/calls/reset-rate-limit',
    summary: 'Begins the rate limit anew',
    status: 204,
    run: (_call, { kiket }) => kiket.calls.resetRateLimit(),
  }),
  route({
    method: 'post',
    path: '/api/sla-events',
    summary: 'Adds an SLA event, which is delivered as `workflow.sla_status`',
    body: 'Fields',
    status: 201,
    result: 'Fields',
    run: ({ body }, { kiket }) => kiket.calls.addSlaEvent(body),
  }),
  route({
    method: 'get',
    path: '/api/target',
    summary: 'Returns the receiver, as it was seen last',
    status: 200,
    result: 'TargetState',
    run: (_call, { kiket }) => kiket.target,
  }),
];
