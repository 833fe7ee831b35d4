import type { HandlerContext } from 'kiket-express/sdk';
import type { FakeKiket } from 'kiket-express/testing';
import { describeNewest } from '../../support/express';
import { codeOf, EXTENSION_ID, runSdk, startKiket } from './running';

/** A call, what it resolves to, and the requests that it sends. */
interface Row {
  readonly prepare?: (fake: FakeKiket) => void;
  readonly call: (context: HandlerContext) => unknown;
  readonly result: unknown;
  readonly sent: readonly (readonly [method: string, target: string, body?: unknown])[];
}

const FORMS = '/api/v1/ext/intake_forms';
const TABLE = '/api/v1/ext/custom_data/com.acme/contacts';
const SECRETS = `/api/v1/extensions/${EXTENSION_ID}/secrets`;
const ann = { id: 5, email: 'ann@example.com' };
const addAnn = (fake: FakeKiket): void => void fake.addRecord('com.acme', 'contacts', ann, { projectId: 27 });
const addForm = (fake: FakeKiket): void =>
  void fake.addIntakeForm({ key: 'bugs', project_id: 27, public: true, form_url: 'https://kiket.example/f/bugs' });
const anything: unknown = expect.anything();

const rows: Record<string, Row> = {
  'endpoints.rateLimit': {
    call: ({ endpoints }) => endpoints.rateLimit(),
    result: { limit: 600, remaining: 599, windowSeconds: 60, resetIn: 60 },
    sent: [['GET', '/api/v1/ext/rate_limit']],
  },
  'endpoints.logEvent': {
    call: ({ endpoints }) => endpoints.logEvent('contact.seen', { id: 5 }),
    result: undefined,
    sent: [
      [
        'POST',
        `/api/v1/extensions/${EXTENSION_ID}/events`,
        { event: 'contact.seen', version: 'v1', data: { id: 5 }, timestamp: anything },
      ],
    ],
  },
  'endpoints.getMetadata': {
    call: ({ endpoints }) => endpoints.getMetadata(),
    result: { id: EXTENSION_ID },
    sent: [['GET', `/api/v1/extensions/${EXTENSION_ID}`]],
  },
  'endpoints.notify': {
    call: ({ endpoints }) => endpoints.notify('Done', 'All is well', 'info'),
    result: undefined,
    sent: [['POST', '/api/v1/extensions/notifications', { title: 'Done', body: 'All is well', level: 'info' }]],
  },
  'customData().list': {
    prepare: addAnn,
    call: ({ endpoints }) => endpoints.customData(27).list('com.acme', 'contacts', { limit: 5, filters: { id: 5 } }),
    result: { data: [expect.objectContaining(ann)] },
    sent: [['GET', `${TABLE}?project_id=27&limit=5&filters=%7B%22id%22%3A5%7D`]],
  },
  'customData().get': {
    prepare: addAnn,
    call: ({ endpoints }) => endpoints.customData('27').get('com.acme', 'contacts', 5),
    result: { data: expect.objectContaining(ann) as unknown },
    sent: [['GET', `${TABLE}/5?project_id=27`]],
  },
  'customData().create': {
    call: ({ endpoints }) => endpoints.customData(27).create('com.acme', 'contacts', { email: 'bob@example.com' }),
    result: { data: expect.objectContaining({ email: 'bob@example.com' }) as unknown },
    sent: [['POST', `${TABLE}?project_id=27`, { record: { email: 'bob@example.com' } }]],
  },
  'customData().update': {
    prepare: addAnn,
    call: ({ endpoints }) => endpoints.customData(27).update('com.acme', 'contacts', 5, { email: 'a@b' }),
    result: { data: expect.objectContaining({ id: 5, email: 'a@b' }) as unknown },
    sent: [['PATCH', `${TABLE}/5?project_id=27`, { record: { email: 'a@b' } }]],
  },
  'customData().delete': {
    prepare: addAnn,
    call: ({ endpoints }) => endpoints.customData(27).delete('com.acme', 'contacts', 5),
    result: undefined,
    sent: [['DELETE', `${TABLE}/5?project_id=27`]],
  },
  'slaEvents().list by issue': {
    prepare: (fake) => void fake.addSlaEvent({ issue_id: 7, project_id: 27 }),
    call: ({ endpoints }) => endpoints.slaEvents(27).list({ issueId: 7, state: 'breached', limit: 5 }),
    result: { data: [expect.objectContaining({ issue_id: 7, project_id: 27, state: 'breached' })] },
    sent: [['GET', '/api/v1/ext/sla/events?project_id=27&issue_id=7&state=breached&limit=5']],
  },
  'slaEvents().list by case': {
    call: ({ endpoints }) => endpoints.slaEvents('27').list({ caseId: 8, issueId: 7 }),
    result: { data: [] },
    sent: [['GET', '/api/v1/ext/sla/events?project_id=27&issue_id=8']],
  },
  'intakeForms().list': {
    prepare: addForm,
    call: ({ endpoints }) => endpoints.intakeForms(27).list({ active: true, publicOnly: true, limit: 5 }),
    result: { data: [expect.objectContaining({ key: 'bugs' })] },
    sent: [['GET', `${FORMS}?project_id=27&active=true&public=true&limit=5`]],
  },
  'intakeForms().get and publicUrl': {
    prepare: addForm,
    call: async ({ endpoints }) => {
      const forms = endpoints.intakeForms(27);
      const { data } = (await forms.get('bugs')) as unknown as { data: Awaited<ReturnType<typeof forms.get>> };
      return forms.publicUrl(data);
    },
    result: 'https://kiket.example/f/bugs',
    sent: [['GET', `${FORMS}/bugs?project_id=27`]],
  },
  'intakeForms().createSubmission, getSubmission, approveSubmission and listSubmissions': {
    prepare: addForm,
    call: async ({ endpoints }) => {
      const forms = endpoints.intakeForms(27);
      await forms.createSubmission('bugs', { title: 'Door' }, { metadata: { source: 'mail' } });
      await forms.getSubmission('bugs', 1);
      await forms.approveSubmission('bugs', 1, 'ok');
      return forms.listSubmissions('bugs', { status: 'approved', limit: 5, since: new Date(0) });
    },
    result: { data: [expect.objectContaining({ id: 1, status: 'approved', notes: 'ok', data: { title: 'Door' } })] },
    sent: [
      ['POST', `${FORMS}/bugs/submissions`, { project_id: 27, data: { title: 'Door' }, metadata: { source: 'mail' } }],
      ['GET', `${FORMS}/bugs/submissions/1?project_id=27`],
      ['POST', `${FORMS}/bugs/submissions/1/approve`, { project_id: 27, notes: 'ok' }],
      ['GET', `${FORMS}/bugs/submissions?project_id=27&status=approved&limit=5&since=1970-01-01T00%3A00%3A00.000Z`],
    ],
  },
  'intakeForms().rejectSubmission and stats': {
    prepare: addForm,
    call: async ({ endpoints }) => {
      const forms = endpoints.intakeForms(27);
      await forms.createSubmission('bugs', {});
      await forms.rejectSubmission('bugs', 1);
      return forms.stats('bugs', 'week');
    },
    result: { data: expect.objectContaining({ rejected: 1 }) as unknown },
    sent: [
      ['POST', `${FORMS}/bugs/submissions`, { project_id: 27, data: {} }],
      ['POST', `${FORMS}/bugs/submissions/1/reject`, { project_id: 27 }],
      ['GET', `${FORMS}/bugs/stats?project_id=27&period=week`],
    ],
  },
  'secrets.get of a secret that exists': {
    prepare: (fake) => fake.setSecret(EXTENSION_ID, 'CRM_TOKEN', 'abc'),
    call: ({ secrets }) => secrets.get('CRM_TOKEN'),
    result: 'abc',
    sent: [['GET', `${SECRETS}/CRM_TOKEN`]],
  },
  'secrets.get of a secret that does not exist': {
    call: ({ endpoints }) => endpoints.secrets.get('CRM_TOKEN'),
    result: null,
    sent: [['GET', `${SECRETS}/CRM_TOKEN`]],
  },
  'secrets.set, rotate, list and delete': {
    call: async ({ secrets }) => {
      await secrets.set('CRM_TOKEN', 'abc');
      await secrets.rotate('CRM_TOKEN', 'def');
      const keys = await secrets.list();
      await secrets.delete('CRM_TOKEN');
      return [keys, await secrets.list()];
    },
    result: [['CRM_TOKEN'], []],
    sent: [
      ['POST', `${SECRETS}/CRM_TOKEN`, { value: 'abc' }],
      ['POST', `${SECRETS}/CRM_TOKEN`, { value: 'def' }],
      ['GET', SECRETS],
      ['DELETE', `${SECRETS}/CRM_TOKEN`],
      ['GET', SECRETS],
    ],
  },
};

describeNewest('the endpoints of the context', (express) => {
  it.each(Object.entries(rows))('should call Kiket, and resolve as in the SDK: %s', async (_name, row) => {
    const fake = await startKiket();
    row.prepare?.(fake);
    let result: unknown;
    const handler = async (_payload: object, context: HandlerContext) => void (result = await row.call(context));
    expect((await runSdk(express, handler, { fake })).body).toEqual({ ok: true });
    expect(result).toEqual(row.result);
    expect(fake.requests.map(({ method, target, body }) => [method, target, body])).toEqual(
      row.sent.map(([method, target, body]) => [method, target, body]),
    );
  });

  it.each<[string, (context: HandlerContext) => unknown]>([
    ['logEvent', ({ endpoints }) => endpoints.logEvent('a', {})],
    ['getMetadata', ({ endpoints }) => endpoints.getMetadata()],
    ['secrets.get', ({ secrets }) => secrets.get('A')],
  ])('should reject %s without an extension id, and send nothing', async (_name, call) => {
    const fake = await startKiket();
    const response = await runSdk(express, (_payload, context) => call(context), { fake, sdk: {} });
    expect([response.status, codeOf(response)]).toEqual([500, 'api.not_configured']);
    expect(fake.requests).toEqual([]);
  });

  it('should use the extension id of the api option when the handler has none', async () => {
    const fake = await startKiket();
    const api = { apiKey: 'ext_canary_api_key', baseUrl: fake.url, extensionId: 'com.acme.other' };
    const options = { fake, sdk: {}, kiket: { api } };
    const response = await runSdk(express, (_payload, { endpoints }) => endpoints.getMetadata(), options);
    expect(response.body).toEqual({ id: 'com.acme.other' });
  });
});
