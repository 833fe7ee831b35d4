import type { KiketExternalWebhook } from 'kiket-express';
import { signDelivery, type FakeKiket } from 'kiket-express/testing';
import request from 'supertest';
import { createApp } from '../../../../examples/ports/inbound-email';
import { hasToken, readEmail } from '../../../../examples/ports/inbound-email/email';
import { deliver, secret } from '../../../support/deliver';
import { ExampleProcess } from '../../../support/example-process';
import { startFake } from '../../../support/fake-kiket';
import { announcedEvents, errorCodeOf, handledEvents, manifestOf } from '../../../support/port';
import { startThirdParty } from '../../../support/third-party';

const token = 'canary_webhook_token';
const secrets = { MAILJET_API_KEY: 'canary_key', MAILJET_SECRET_KEY: 'canary_private', MAILJET_WEBHOOK_TOKEN: token };
const fromEnvironment = Object.fromEntries(
  Object.entries(secrets).map(([key, value]) => [`KIKET_SECRET_${key}`, value]),
);

/** An e-mail as Mailjet sends it. */
const mail = {
  MessageID: '<1@example.com>',
  InReplyTo: '<0@example.com>',
  References: '<0@example.com>  <00@example.com>',
  From: '"Lovelace, Ada" <ada@example.com>',
  To: 'support@example.com',
  Cc: '"Hopper, Grace" <grace@example.com>, bob@example.com',
  Subject: 'Broken door',
  'Text-part': 'It does not close.',
  'Html-part': '<p>It does not close.</p>',
  Headers: { 'X-Priority': '1' },
  Attachments: [{ Filename: 'door.png', ContentType: 'image/png', Size: 2048, ContentID: 'door' }],
};
const form = new URLSearchParams({
  ...mail,
  Headers: JSON.stringify(mail.Headers),
  Attachments: JSON.stringify(mail.Attachments),
}).toString();

describe('readEmail', () => {
  const read = (body: string | undefined, contentType: string | undefined = 'application/json') =>
    readEmail({ body, contentType });

  it.each([
    ['JSON', JSON.stringify(mail), 'application/json'],
    ['JSON without a media type', JSON.stringify(mail), undefined],
    ['a form', form, 'application/x-www-form-urlencoded; charset=utf-8'],
  ])('should read every field of %s', (_name, body, contentType) => {
    expect(readEmail({ body, contentType })).toEqual({
      messageId: '<1@example.com>',
      inReplyTo: '<0@example.com>',
      references: ['<0@example.com>', '<00@example.com>'],
      fromEmail: 'ada@example.com',
      fromName: 'Lovelace, Ada',
      toEmail: 'support@example.com',
      ccEmails: ['grace@example.com', 'bob@example.com'],
      subject: 'Broken door',
      textBody: 'It does not close.',
      htmlBody: '<p>It does not close.</p>',
      headers: { 'X-Priority': '1' },
      attachments: [{ filename: 'door.png', contentType: 'image/png', size: 2048, contentId: 'door' }],
      rawPayload: body,
    });
  });

  it.each([
    ['an address alone', 'ada@example.com', 'ada@example.com', undefined],
    ['an address in brackets alone', '<ada@example.com>', 'ada@example.com', undefined],
    ['an unquoted name', 'Ada L. <ada@example.com>', 'ada@example.com', 'Ada L.'],
    ['an address as the name', '"eve@example.com" <ada@example.com>', 'ada@example.com', 'eve@example.com'],
  ])('should read the sender of %s', (_name, From, fromEmail, fromName) => {
    expect(read(JSON.stringify({ From, To: 'a@b' }))).toMatchObject({ fromEmail, fromName });
  });

  it('should read an e-mail that has a sender and a recipient only', () => {
    const { ccEmails, attachments, subject, headers } = read(JSON.stringify({ From: 'a@b', To: 'c@d', Headers: '{' }));
    expect({ ccEmails, attachments, subject, headers }).toEqual({ ccEmails: [], attachments: [] });
  });

  it.each([
    ['a body that the platform has parsed', undefined],
    ['an empty body', ''],
    ['malformed JSON', '{"From":'],
    ['an array', '[]'],
    ['no sender', '{"To":"a@b"}'],
    ['a sender without an address', '{"From":"Ada","To":"a@b"}'],
    ['no recipient', '{"From":"a@b"}'],
    ['a sender that is not a string', '{"From":{},"To":"a@b"}'],
  ])('should throw a final error for %s', (_name, body) => {
    expect(() => read(body)).toThrow(expect.objectContaining({ code: 'email.malformed', status: 422 }) as Error);
  });
});

describe('hasToken', () => {
  const empty = { headers: {}, queryParams: {} };
  it.each<[string, Partial<KiketExternalWebhook>, boolean]>([
    ['the token in the header', { headers: { 'x-mailjet-token': token } }, true],
    ['the token in the query', { queryParams: { token } }, true],
    ['another token', { headers: { 'x-mailjet-token': 'other' } }, false],
    [
      'another token in the header, and the right one in the query',
      { headers: { 'x-mailjet-token': 'other' }, queryParams: { token } },
      false,
    ],
    ['a list that contains the token', { queryParams: { token: [token] } }, false],
    ['no token', {}, false],
  ])('should check %s', (_name, webhook, expected) => {
    expect(hasToken({ ...empty, ...webhook }, token)).toBe(expected);
  });
});

describe('examples/ports/inbound-email', () => {
  let kiket: FakeKiket;
  beforeEach(async () => (kiket = await startFake()));

  const manifest = manifestOf('inbound-email');
  const app = (mailjetOrigin?: string) => createApp(manifest, { mailjetOrigin, api: { baseUrl: kiket.url } });

  const webhook = (changes: object = {}): object => ({
    body: JSON.stringify(mail),
    headers: { 'X-Mailjet-Token': token },
    content_type: 'application/json',
    method: 'POST',
    query_params: {},
    ...changes,
  });
  const received = (changes: object = {}): object => ({
    event: 'external.webhook.inbound_email',
    action: 'inbound_email',
    external_webhook: webhook(),
    received_at: '2026-11-25T10:00:00Z',
    ...kiket.callback({ scopes: ['issues:write'] }),
    secrets,
    ...changes,
  });
  const setUp = (changes: object = {}): object => ({
    event: 'mailjet.connectParseApi',
    action: 'connectParseApi',
    organization: { subdomain: 'acme' },
    project: { key: 'OPS' },
    ...kiket.callback({ scopes: ['configuration:write'] }),
    secrets,
    ...changes,
  });

  it('should handle every event of its manifest', async () => {
    expect(await handledEvents(app())).toEqual(announcedEvents(manifest));
  });

  it.each([
    ['JSON', {}],
    ['a form', { body: form, content_type: 'application/x-www-form-urlencoded' }],
    ['a token in the query', { headers: {}, query_params: { token } }],
  ])('should hand an e-mail to Kiket with the runtime token: %s', async (_name, changes) => {
    const path = '/v/v1/webhooks/external.webhook.inbound_email';
    const payload = received({ external_webhook: webhook(changes) });
    await deliver(app(), payload, { path }).expect(200, { ok: true, id: 1, status: 'accepted' });
    expect(kiket.inboundEmails).toMatchObject([
      {
        from_email: 'ada@example.com',
        cc_emails: ['grace@example.com', 'bob@example.com'],
        text_body: 'It does not close.',
        attachments: [{ content_type: 'image/png', content_id: 'door' }],
      },
    ]);
    expect(kiket.requests[0]!.headers).toHaveProperty('x-kiket-runtime-token');
  });

  it('should hand an e-mail to Kiket once when it is delivered twice', async () => {
    const receiver = app();
    const payload = received();
    for (const replayed of [undefined, 'true']) {
      const { headers } = await deliver(receiver, payload, { invocationId: 'inv-1' }).expect(200);
      expect(headers['kiket-replayed']).toBe(replayed);
    }
    expect(kiket.inboundEmails).toHaveLength(1);
  });

  it.each([
    ['another token', { headers: { 'X-Mailjet-Token': 'other' } }, 'email.token_invalid'],
    ['no token', { headers: {} }, 'email.token_invalid'],
    ['a body that is not an e-mail', { body: 'hello' }, 'email.malformed'],
  ])('should reject %s for good', async (_name, changes, code) => {
    const response = await deliver(app(), received({ external_webhook: webhook(changes) })).expect(422);
    expect(errorCodeOf(response)).toBe(code);
    expect(response.text).not.toContain(token);
    expect(kiket.inboundEmails).toEqual([]);
  });

  it('should reject an e-mail while the token is not set', async () => {
    const payload = received({ secrets: { ...secrets, MAILJET_WEBHOOK_TOKEN: null } });
    expect(errorCodeOf(await deliver(app(), payload).expect(422))).toBe('secret.missing');
  });

  it('should reject a delivery without the request of the third party', async () => {
    const response = await deliver(app(), received({ external_webhook: undefined })).expect(422);
    expect(errorCodeOf(response)).toBe('email.missing');
  });

  it.each([
    [403, 422, 'api.refused'],
    [503, 503, 'api.unavailable'],
  ])('should turn the %i of Kiket into %i', async (status, sent, code) => {
    kiket.fail({ kind: 'status', status, on: '/api/v1/ext/inbound_emails' });
    expect(errorCodeOf(await deliver(app(), received()).expect(sent))).toBe(code);
  });

  describe('set-up', () => {
    /** Keeps the routes that are created. */
    const startMailjet = () => {
      const routes: object[] = [{ Email: 'other@parse.example', Url: 'https://other.example' }];
      return startThirdParty(({ method, body }) => {
        if (method === 'GET') return { body: { Data: routes } };
        const route = { ...(body as object), Email: `acme${routes.length}@parse.example` };
        routes.push(route);
        return { status: 201, body: { Data: [route] } };
      });
    };

    it('should register the webhook URL with its token at Mailjet, and show URL and address', async () => {
      const mailjet = await startMailjet();
      const response = await deliver(app(mailjet.url), setUp()).expect(200);
      const { metadata } = response.body as { metadata: { output_fields: { webhook_url: string } } };
      const { webhook_url } = metadata.output_fields;
      expect(response.body).toEqual({
        status: 'allow',
        message: 'E-mails to acme1@parse.example become issues',
        metadata: { output_fields: { inbound_email: 'acme1@parse.example', webhook_url } },
      });
      expect(webhook_url).toMatch(/\/inbound_email$/);
      expect(mailjet.requests).toMatchObject([
        {
          method: 'GET',
          headers: { authorization: `Basic ${Buffer.from('canary_key:canary_private').toString('base64')}` },
        },
        { method: 'POST', path: '/v3/REST/parseroute', body: { Url: `${webhook_url}?token=${token}` } },
      ]);
    });

    it('should keep the route that it has registered before', async () => {
      const mailjet = await startMailjet();
      const [first, second] = [await deliver(app(mailjet.url), setUp()), await deliver(app(mailjet.url), setUp())];
      expect(second.body).toEqual(first.body);
      expect(mailjet.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'GET']);
    });

    it.each([
      [401, 422, 'mailjet.unauthorized'],
      [403, 422, 'mailjet.forbidden'],
      [429, 503, 'mailjet.unavailable'],
      [500, 503, 'mailjet.unavailable'],
    ])('should turn the %i of Mailjet into %i', async (status, sent, code) => {
      const mailjet = await startThirdParty(() => ({ status }));
      expect(errorCodeOf(await deliver(app(mailjet.url), setUp()).expect(sent))).toBe(code);
    });

    it('should fail for good when Kiket has no webhook URL', async () => {
      kiket.fail({ kind: 'status', status: 200, body: { webhook_url: null }, on: '/api/v1/ext/webhook_url' });
      expect(errorCodeOf(await deliver(app(), setUp()).expect(422))).toBe('email.no_webhook_url');
    });

    it('should fail for good without the credentials of Mailjet', async () => {
      expect(errorCodeOf(await deliver(app(), setUp({ secrets: {} })).expect(422))).toBe('secret.missing');
    });
  });

  describe('started', () => {
    let running: ExampleProcess;
    afterEach(() => running.stop());

    it("should receive an e-mail in the contract's envelope, and the set-up in the newest one", async () => {
      const mailjet = await startThirdParty(() => ({ body: { Data: [{ Email: 'acme@parse.example', Url: 'x' }] } }));
      running = new ExampleProcess('ports/inbound-email', {
        KIKET_WEBHOOK_SECRET: secret,
        KIKET_BASE_URL: kiket.url,
        KIKET_API_KEY: 'ext_fake',
        MAILJET_ORIGIN: mailjet.url,
        ...fromEnvironment,
      });
      const origin = await running.origin();
      // The newest envelope carries neither secrets nor a token: they come from the environment.
      const newest = {
        id: 'evt_1',
        type: 'mailjet.connectParseApi',
        organizationId: 'org_7',
        projectKey: 'OPS',
        data: {},
      };
      for (const payload of [received(), newest]) {
        const { headers, body } = signDelivery(payload, { secret });
        await request(origin).post('/kiket').set(headers).send(body).expect(200);
      }
      expect(kiket.inboundEmails).toMatchObject([{ subject: 'Broken door' }]);
      expect(mailjet.requests.map(({ method }) => method)).toEqual(['GET', 'POST']);
    }, 120_000);

    it('should not start without a delivery secret', async () => {
      running = new ExampleProcess('ports/inbound-email', { KIKET_WEBHOOK_SECRET: '' });
      const { code, output } = await running.end();
      expect([code, output]).toEqual([1, expect.stringContaining('KIKET_WEBHOOK_SECRET, which is unset or empty')]);
    }, 120_000);
  });
});
