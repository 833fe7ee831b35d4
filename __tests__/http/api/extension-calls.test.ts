import { describeNewest } from '../../support/express';
import { example } from '../../support/deliver';
import { apiKey, apiOf, callFrom, codeOf, EXTENSION_ID, failureOf, sentTo, start } from './calling';

const BASE = 'https://kiket.example/webhooks/ext';

describe('api.webhookUrl', () => {
  it('should fetch the URL of an action', async () => {
    const fake = await start();
    const { url, token, baseUrl } = await apiOf(fake).webhookUrl('inbound email');
    expect([url, baseUrl]).toEqual([`${BASE}/${token}/inbound%20email`, BASE]);
    expect(sentTo(fake)).toEqual([['GET', '/api/v1/ext/webhook_url?action_name=inbound+email']]);
  });

  it.each<[object, object]>([
    [
      { webhook_url: null, webhook_token: 't', webhook_base_url: BASE },
      { url: null, token: 't', baseUrl: BASE },
    ],
    [{ webhook_url: null }, { url: null, token: null, baseUrl: null }],
  ])('should read %j', async (body, expected) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await apiOf(fake).webhookUrl('a')).toEqual(expected);
  });

  it.each([
    {},
    { webhook_url: 7 },
    { webhook_url: null, webhook_token: 7 },
    { webhook_url: null, webhook_base_url: {} },
    [],
    null,
  ])('should fail with api.unavailable for %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await codeOf(() => apiOf(fake).webhookUrl('a'))).toBe('api.unavailable');
  });
});

describe('api.inboundEmails', () => {
  it('should send every field by the name of the API', async () => {
    const fake = await start();
    const attachment = { filename: 'a.pdf', contentType: 'application/pdf', size: 9, contentId: '<i@a>' };
    const result = await apiOf(fake)
      .inboundEmails()
      .create({
        messageId: '<2@a>',
        inReplyTo: '<1@a>',
        references: ['<1@a>'],
        fromEmail: 'ann@example.com',
        fromName: 'Ann',
        toEmail: 'in@example.com',
        ccEmails: ['bob@example.com'],
        subject: 'Hello',
        textBody: 'Hi',
        htmlBody: '<p>Hi</p>',
        headers: { 'X-Spam': 'no' },
        attachments: [attachment],
        rawPayload: { Sender: 'ann@example.com' },
      });
    expect(result).toEqual({ id: 1, status: 'accepted' });
    const inbound_email = {
      message_id: '<2@a>',
      in_reply_to: '<1@a>',
      references: ['<1@a>'],
      from_email: 'ann@example.com',
      from_name: 'Ann',
      to_email: 'in@example.com',
      cc_emails: ['bob@example.com'],
      subject: 'Hello',
      text_body: 'Hi',
      html_body: '<p>Hi</p>',
      headers: { 'X-Spam': 'no' },
      attachments: [{ filename: 'a.pdf', content_type: 'application/pdf', size: 9, content_id: '<i@a>' }],
      raw_payload: { Sender: 'ann@example.com' },
    };
    expect(sentTo(fake)).toEqual([['POST', '/api/v1/ext/inbound_emails', { inbound_email }]]);
    expect(fake.inboundEmails).toEqual([inbound_email]);
  });

  it('should leave out fields that are not given', async () => {
    const fake = await start();
    await apiOf(fake).inboundEmails().create({ fromEmail: 'a@example.com', toEmail: 'b@example.com', subject: null });
    expect(fake.inboundEmails).toEqual([{ from_email: 'a@example.com', to_email: 'b@example.com', subject: null }]);
  });

  it.each([[[]], ['accepted'], [null]])('should fail with api.unavailable for %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    const create = () => apiOf(fake).inboundEmails().create({ fromEmail: 'a@example.com', toEmail: 'b@example.com' });
    expect(await codeOf(create)).toBe('api.unavailable');
  });
});

describe('api.extension', () => {
  it('should fetch the metadata', async () => {
    const fake = await start();
    expect(await apiOf(fake).extension()).toEqual({ id: EXTENSION_ID });
    expect(sentTo(fake)).toEqual([['GET', `/api/v1/extensions/${EXTENSION_ID}`]]);
  });

  it('should need an extensionId, and send nothing without', async () => {
    const fake = await start();
    expect(await codeOf(() => apiOf(fake, { extensionId: undefined }).extension())).toBe('api.not_configured');
    expect(fake.connections.accepted).toBe(0);
  });

  it.each([[[]], ['a'], [null]])('should fail with api.unavailable for %j', async (body) => {
    const fake = await start();
    fake.fail({ kind: 'status', status: 200, body });
    expect(await codeOf(() => apiOf(fake).extension())).toBe('api.unavailable');
  });
});

describe('logs, metrics and notifications', () => {
  it('should arrive', async () => {
    const fake = await start();
    const api = apiOf(fake, { extensionId: undefined });
    expect(await api.log('Synced', { n: 1 })).toBeUndefined();
    await api.log('Started');
    expect(await api.metric('duration', 1.5, 'ms')).toBeUndefined();
    await api.metric('count', 0);
    expect(await api.notify({ title: 'Done', body: 'All is synced', level: 'info' })).toBeUndefined();
    await api.notify({ title: 'Done', body: 'All is synced' });
    expect(fake.logs).toEqual([
      { message: 'Synced', metadata: { n: 1 } },
      { message: 'Started', metadata: {} },
    ]);
    expect(fake.metrics).toEqual([
      { name: 'duration', value: 1.5, unit: 'ms' },
      { name: 'count', value: 0 },
    ]);
    expect(fake.notifications).toEqual([
      { title: 'Done', body: 'All is synced', level: 'info' },
      { title: 'Done', body: 'All is synced' },
    ]);
    expect(sentTo(fake).map(([method, target]) => [method, target])).toEqual(
      ['logs', 'logs', 'metrics', 'metrics', 'notifications', 'notifications'].map((kind) => [
        'POST',
        `/api/v1/extensions/${kind}`,
      ]),
    );
  });

  it.each([Number.NaN, Infinity, '1', null, undefined])('should refuse the measured value %p', async (value) => {
    const fake = await start();
    const error = await failureOf(() => apiOf(fake).metric('count', value as number));
    expect(error).toBeInstanceOf(TypeError);
    expect(error.message).toMatch(/^api\.metric: value must be a finite number, but is /);
    expect(fake.connections.accepted).toBe(0);
  });
});

describeNewest('calls of a delivery', (express) => {
  it('should have the runtime token below /ext/ and the API key elsewhere', async () => {
    const fake = await start();
    fake.addIssue({ key: 'ACME-1', project_id: 27 });
    const scopes = ['project:27', 'read:issues', 'issues:write'];
    const payload = { ...example, ...fake.callback({ scopes }) };
    const api = { apiKey, baseUrl: fake.url, extensionId: EXTENSION_ID };
    const { status } = await callFrom(express, { api, payload }, async (client) => {
      await client.members();
      await client.webhookUrl('inbound_email');
      await client.inboundEmails().create({ fromEmail: 'a@example.com', toEmail: 'b@example.com' });
      await client.issues().comments('ACME-1').list();
      await client.extension();
      await client.log('a');
      await client.metric('a', 1);
      await client.notify({ title: 'a', body: 'b' });
    });
    expect(status).toBe(200);
    const withKey = fake.requests.map(({ headers }) => headers['x-kiket-api-key'] !== undefined);
    const withToken = fake.requests.map(({ headers }) => headers['x-kiket-runtime-token'] !== undefined);
    expect(withToken).toEqual([true, true, true, true, false, false, false, false]);
    expect(withKey).toEqual(withToken.map((has) => !has));
    expect(fake.requests[0]!.query).toEqual({ project_id: '27' });
  });
});
