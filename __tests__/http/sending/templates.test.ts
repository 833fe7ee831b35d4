import { allow, kiket, KIKET_EVENTS, kiketErrorHandler, kiketHandler } from 'kiket-express';
import { validateContract } from '../../../lib/delivery/validate-contract';
import { isGuardEvent } from '../../../lib/delivery/reply';
import { renderPayload, type RenderOptions } from '../../../lib/sending/render';
import { send } from '../../../lib/sending/send';
import { signedRequest } from '../../../lib/sending/sign';
import { secret } from '../../support/deliver';
import { endpoint } from '../../support/endpoint';
import { describeNewest } from '../../support/express';
import { startServer } from '../../support/loopback-server';

const OPTIONS: RenderOptions = {
  envelope: 'contract',
  eventVersion: 'v1',
  projectId: undefined,
  secrets: {},
  missing: [],
  callback: undefined,
};

const CALLBACK = {
  authentication: { token_type: 'runtime', runtime_token: 'token', expires_at: '2026-04-20T12:00:00Z', scopes: ['*'] },
  api: { base_url: 'http://localhost:4539', runtime_header: 'X-Kiket-Runtime-Token' },
};

describeNewest('the template of each event', (express) => {
  it('should be valid against the schema of the contract, and be received, in both envelopes', async () => {
    const received: [string, boolean][] = [];
    const handler = kiketHandler(({ event, eventVersion, secrets, auth }) => {
      received.push([
        `${event} ${eventVersion}`,
        secrets.get('TOKEN') === 'value of it' && auth?.runtimeToken === 'token',
      ]);
      return isGuardEvent(event) ? allow() : { ok: true };
    });
    const stages = [kiket({ secret }), handler, kiketErrorHandler()];
    const { url } = await startServer(endpoint(express, stages));
    const events = [...KIKET_EVENTS, 'external.webhook.anything', 'slack.sendMessage'];
    const expected: typeof received = [];
    for (const envelope of ['contract', 'data'] as const) {
      for (const event of events) {
        const payload = renderPayload(event, {
          ...OPTIONS,
          ...{ envelope, projectId: 27, organizationId: 3, secrets: { TOKEN: 'value of it' }, missing: ['OTHER'] },
          callback: CALLBACK,
        });
        expect([event, envelope, validateContract(payload), validateContract.errors]).toEqual([
          event,
          envelope,
          true,
          null,
        ]);
        const request = signedRequest(`${url}/kiket`, Buffer.from(JSON.stringify(payload)), {
          ...{ secret, scheme: 'timestamped', prefix: '', timestampSeconds: Math.floor(Date.now() / 1000) },
          ...{ headers: 'full', event, eventVersion: 'v1', invocationId: '3f6b0c', projectId: 27, organizationId: 3 },
        });
        const result = await send(request, { timeoutMs: 20_000 });
        expect([event, envelope, 'response' in result && result.response.status]).toEqual([event, envelope, 200]);
        expected.push([`${event} v1`, true]);
      }
    }
    expect(received).toEqual(expected);
  });
});

describe('renderPayload', () => {
  it('should have the version, the project, and nothing of the platform unless it is asked for', () => {
    const payload = renderPayload('issue.created', { ...OPTIONS, eventVersion: 'v2', projectId: 'prj_9' });
    expect(payload).toMatchObject({ event: 'issue.created', event_version: 'v2', issue: { project_id: 'prj_9' } });
    expect(Object.keys(payload)).toEqual(['event', 'event_version', 'issue']);
  });

  it('should have the project as a string, and the organization, in the envelope data', () => {
    const options = { ...OPTIONS, envelope: 'data' as const, projectId: 9, organizationId: 3, id: 'one' };
    expect(renderPayload('case.created', options)).toMatchObject({
      id: 'evt_one',
      type: 'case.created',
      organizationId: '3',
      data: { case: { project_id: '9' } },
    });
  });

  it('should have another id for each delivery in the envelope data', () => {
    const [one, two] = [1, 2].map(() => renderPayload('issue.created', { ...OPTIONS, envelope: 'data' }));
    expect(one!['id']).not.toBe(two!['id']);
  });

  it('should have the action of any external webhook', () => {
    expect(renderPayload('external.webhook.form_posted', OPTIONS)).toMatchObject({
      action: 'form_posted',
      external_webhook: { method: 'POST', original_url: 'https://kiket.dev/webhooks/ext/token/form_posted' },
    });
  });

  it('should be a copy each time', () => {
    const first = renderPayload('issue.created', OPTIONS)['issue'] as { title: string };
    first.title = 'changed';
    expect(renderPayload('issue.created', OPTIONS)['issue']).not.toMatchObject({ title: 'changed' });
  });
});
